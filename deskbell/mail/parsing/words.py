"""What mail programs write around what they quote and beneath what is written, in the languages that have their own.

Data only, as patterns. mail-parser-reply brings most introductions of quotes; here is what it lacks or has wrong.
"""

import re
from typing import Final

from mailparser_reply.constants import MAIL_LANGUAGES

KNOWN_INTRODUCTIONS: Final = [
    re.compile(words["wrote_header"], re.IGNORECASE) for words in MAIL_LANGUAGES.values() if "wrote_header" in words
]
WROTE: Final = re.compile(
    r"wrote|schrieb|geschrieben|écrit|escribió|escreveu|ha scritto|schreef|geschreven|skrev|kirjoitti|kirjutas|"
    r"napisał|pisze|napsal|napísal|napisa[lo]|rašė|rakstīja|írta|a scris|va escriure|yazdı|έγραψε|menulis|đã viết|เขียน|"
    r"написал|написа|пишет|писал|пише|написав|のメール|写道|寫道|作成|작성|썼습니다|כתב|كتب|نوشت",
    re.IGNORECASE,
)
ORIGINAL: Final = re.compile(
    r"-{2,}\s?(?:Original(?: Message| Appointment|-Nachricht|meddelande)?|Reply Message|"
    r"Ursprüngliche (?:Nachricht|E-Mail)|Originalnachricht|"
    r"Message d['’]origine|Message original|Mensaje original|Mensagem original|Missatge original|"
    r"Messaggio originale|Oorspronkelijk (?:bericht|e-mailbericht)|Oprindelig (?:meddelelse|besked)|"
    r"Opprinnelig melding|Ursprungligt meddelande|Alkuperäinen viesti|Исходное (?:сообщение|письмо)|"
    r"Оригинальное сообщение|Оригінальне повідомлення|Оригинално съобщение|Wiadomość oryginalna|"
    r"Oryginalna wiadomość|Původní (?:zpráva|e-mail)|Pôvodná správa|Izvorna poruka|Izvirno sporočilo|"
    r"Eredeti üzenet|Mesaj(?:ul)? original|Orijinal (?:Mesaj|İleti)|Αρχικό μήνυμα|Thư gốc|Pesan Asli|"
    r"原始邮件|邮件原件|原始郵件|原始信件|元のメッセージ|원본 메(?:시지|일)|הודעה מקורית|الرسالة الأصلية)\s?-{2,}",
    re.IGNORECASE,
)
FORWARDED: Final = re.compile(
    r"-{2,}\s?(?:Forwarded message|Forwarded by .{1,80}|Weitergeleitete Nachricht|Message transféré|Mensaje reenviado|"
    r"Mensagem encaminhada|Messaggio inoltrato|Doorgestuurd bericht|Vidarebefordrat meddelande|Videresendt (?:melding|"
    r"besked)|Edelleenlähetetty viesti|Przekazana wiadomość|Przeposlaná zpráva|Továbbított üzenet|Mesaj redirecționat|"
    r"Yönlendirilmiş ileti|Προωθημένο μήνυμα|Пересылаемое сообщение|Пересланное сообщение|转发的邮件|轉寄的郵件|"
    r"転送されたメッセージ|전달된 메시지)\s?-{2,}|"
    r"(?:Begin forwarded message|Anfang der weitergeleiteten (?:E-Mail|Nachricht)|"
    r"Début du message (?:réexpédié|transféré)|Inicio del mensaje reenviado|Início da mensagem reencaminhada|"
    r"Inizio messaggio inoltrato|Begin doorgestuurd bericht|Vidarebefordrat brev)\s?:",
    re.IGNORECASE,
)
HEADER: Final = re.compile(
    r"(?:From|Sent|To|Cc|Bcc|Subject|Date|Reply-To|Von|Gesendet|An|Kopie|Betreff|Datum|De|Envoyé|À|Objet|Date|"
    r"Enviado(?: el)?|Para|Asunto|Fecha|Enviada em|Assunto|Data|Da|Inviato|A|Oggetto|Van|Verzonden|Aan|Onderwerp|"
    r"Från|Skickat|Till|Ämne|Fra|Sendt|Til|Emne|Dato|Lähettäjä|Lähetetty|Vastaanottaja|Aihe|Päivämäärä|"
    r"Od|Odesláno|Komu|Předmět|Wysłano|Do|Temat|DW|Odosielateľ|Odoslané|Predmet|Poslano|Za|Zadeva|"
    r"Feladó|Küldve|Elküldve|Dátum|Címzett|Tárgy|De la|Trimis|Către|Subiect|Saatja|Saadetud|Teema|"
    r"От|От кого|Отправлено|Кому|Копия|Тема|Дата|Від|Надіслано|Относно|До|Изпратено|"
    r"Gönderen|Gönderme Tarihi|Kimden|Gönderildi|Tarih|Kime|Konu|Από|Στάλθηκε|Προς|Θέμα|Ημερομηνία|"
    r"Từ|Gửi|Ngày|Đến|Chủ đề|Dari|Dikirim|Kepada|Perihal|"
    r"发件人|发送时间|收件人|抄送|主题|日期|寄件者|寄件人|寄件日期|收件者|副本|主旨|差出人|送信日時|宛先|件名|日付|"
    r"보낸 사람|보낸 날짜|날짜|받는 사람|참조|제목|"
    r"من|تم الإرسال|التاريخ|إلى|الموضوع|מאת|נשלח|תאריך|אל|נושא)\s?[:：].*",
    re.IGNORECASE,
)

_SENT_FROM_WORDS: Final = "|".join(words["sent_from"] for words in MAIL_LANGUAGES.values() if words.get("sent_from"))
_MORE_WORDS: Final = (
    "Sent with|Sent via|Envoyé de|Enviado do|Enviado desde|Verstuurd vanaf|Verzonden via|Lähetetty|Отправлено (?:с|из)|"
    "Wysłane z|Odesláno z|Trimis de pe|Надіслано з"
)
_SENT: Final = (
    r"(?:Sent (?:from|via|with|using|by)|Gesendet (?:von|mit|über|aus|via)|"
    r"Envoyé (?:de|d'|depuis|à partir|avec|via|par)|"
    r"Enviad[oa] (?:desde|d[oae]|con|com|a partir|através|pelo|via|por)|Inviato (?:da|dal|con|tramite)|"
    r"(?:Verstuurd|Verzonden) (?:vanaf|vanuit|met|via)|Skickat (?:från|med)|Sendt (?:fra|med|via)|Lähetetty|"
    r"Wysłan[eo]|Odesl[aá]no|Odoslané|Отправлено|Надіслано|Изпратено|Στάλθηκε|Trimis|Küldve|Poslano|Dikirim dari|"
    r"Gửi từ|أُ?رسلت?|נשלח)\b"
)
_DEVICE: Final = (
    r"(?:i(?:Phone|Pad|Pod|OS|Cloud)|Android|BlackBerry|Galaxy|Samsung|Xiaomi|Huawei|Nokia|Windows|Outlook|Yahoo|"
    r"Gmail|GMX|WEB\.DE|AOL|Proton|Mobil|Handy|Smartphone|Tuta|Zoho|Mail\b|Почты)"
)
_REST: Final = r"[^,;!?]"
SENT_FROM: Final = re.compile(  # "Sent from my iPhone", and no sentence that only begins so ("Sent from my desk, is …")
    rf"(?:{_SENT_FROM_WORDS}|{_MORE_WORDS})\s{_REST}{{1,100}}(?<!\.)|"
    rf"{_SENT}{_REST}{{0,60}}?{_DEVICE}{_REST}{{0,60}}|(?:发自|傳自|寄自){_REST}{{0,10}}{_DEVICE}{_REST}{{0,10}}|"
    rf"(?:Von|Diese (?:Nachricht|E-Mail) wurde)\s{_REST}{{0,60}}?{_DEVICE}{_REST}{{0,40}}gesendet\.?|"
    rf"{_REST}{{0,10}}{_DEVICE}[^,;!?\s]{{0,10}}\s?(?:gönderildi|送信|发送|發送|보냄)|"
    rf"(?:\w+\s){{0,3}}Outlook\s\w{{2,5}}\s(?:iOS|Android)\b{_REST}{{0,80}}|"
    r"Yahoo Mail: Search, Organize, Conquer",
    re.IGNORECASE,
)
