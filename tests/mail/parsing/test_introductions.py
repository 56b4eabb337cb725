"""How mail programs introduce what they quote, in the languages that have their own words for it."""

import pytest

from deskbell.mail.parsing import split_reply

NEW = "The KS-40.\n\nMara"
QUOTED = "> Which model is it?\n> Thanks"
BARE = "Which model is it?\n\nThanks"

INTRODUCTIONS = """\
On Wed, May 12, 2027 at 10:00 AM Deskbell Support <support@deskbell.example> wrote:
Am Mi., 12. Mai 2027 um 10:00 Uhr schrieb Deskbell Support <support@deskbell.example>:
Le mer. 12 mai 2027 à 10:00, Deskbell Support <support@deskbell.example> a écrit :
El mié, 12 may 2027 a las 10:00, Deskbell Support (<support@deskbell.example>) escribió:
El mié, 12 may 2027 a la(s) 10:00, Deskbell Support (support@deskbell.example) escribió:
Em qua., 12 de mai. de 2027 às 10:00, Deskbell Support <support@deskbell.example> escreveu:
Deskbell Support <support@deskbell.example> escreveu (quarta, 12/05/2027 à(s) 10:00):
Il giorno mer 12 mag 2027 alle ore 10:00 Deskbell Support <support@deskbell.example> ha scritto:
Op wo 12 mei 2027 om 10:00 schreef Deskbell Support <support@deskbell.example>:
Den ons 12 maj 2027 kl 10:00 skrev Deskbell Support <support@deskbell.example>:
Den ons. 12. maj 2027 kl. 10.00 skrev Deskbell Support <support@deskbell.example>:
ons. 12. mai 2027 kl. 10:00 skrev Deskbell Support <support@deskbell.example>:
ke 12. toukok. 2027 klo 10.00 Deskbell Support (support@deskbell.example) kirjoitti:
śr., 12 maj 2027 o 10:00 Deskbell Support <support@deskbell.example> napisał(a):
st 12. 5. 2027 v 10:00 odesílatel Deskbell Support <support@deskbell.example> napsal:
st 12. 5. 2027 o 10:00 Deskbell Support <support@deskbell.example> napísal(a):
Deskbell Support <support@deskbell.example> ezt írta (időpont: 2027. máj. 12., Sze, 10:00):
mie., 12 mai 2027 la 10:00, Deskbell Support <support@deskbell.example> a scris:
ср, 12 мая 2027 г. в 10:00, Deskbell Support <support@deskbell.example>:
ср, 12 трав. 2027 р. о 10:00 Deskbell Support <support@deskbell.example> пише:
Deskbell Support <support@deskbell.example>, 12 May 2027 Çar, 10:00 tarihinde şunu yazdı:
Στις Τετ 12 Μαΐ 2027 στις 10:00 π.μ., ο χρήστης Deskbell Support <support@deskbell.example> έγραψε:
2027年5月12日(水) 10:00 Deskbell Support <support@deskbell.example>:
Deskbell Support <support@deskbell.example> 于2027年5月12日周三 10:00写道：
Deskbell Support <support@deskbell.example> 於 2027年5月12日 週三 上午10:00寫道：
2027년 5월 12일 (수) 오전 10:00, Deskbell Support <support@deskbell.example>님이 작성:
Vào Th 4, 12 thg 5, 2027 vào lúc 10:00 Deskbell Support <support@deskbell.example> đã viết:
Pada tanggal Rab, 12 Mei 2027 pukul 10.00 Deskbell Support <support@deskbell.example> menulis:
ในวันที่ พ. 12 พ.ค. 2027 เวลา 10:00 Deskbell Support <support@deskbell.example> เขียนว่า:
Missatge de Deskbell Support <support@deskbell.example> del dia dc., 12 de maig 2027 a les 10:00:
На ср, 12.05.2027 г. в 10:00 Deskbell Support <support@deskbell.example> написа:
sri, 12. svi 2027. u 10:00 Deskbell Support <support@deskbell.example> napisao je:
V V sre., 12. maj 2027 ob 10:00 je oseba Deskbell Support <support@deskbell.example> napisala:
2027-05-12, tr, 10:00 Deskbell Support <support@deskbell.example> rašė:
trešd., 2027. g. 12. maijs, plkst. 10:00 — lietotājs Deskbell Support (<support@deskbell.example>) rakstīja:
Kuupäev K, 12. mai 2027 kell 10:00 kirjutas Deskbell Support <support@deskbell.example>:
På ons. 12. mai 2027 kl. 10:00, Deskbell Support <support@deskbell.example> skrev:
On 12 May 2027, at 10:00, Deskbell Support <support@deskbell.example> wrote:
On 12. May 2027, at 10:00, Deskbell Support <support@deskbell.example> wrote:
Am 12.05.2027 um 10:00 schrieb Deskbell Support <support@deskbell.example>:
Le 12 mai 2027 à 10:00, Deskbell Support <support@deskbell.example> a écrit :
Il giorno 12 mag 2027, alle ore 10:00, Deskbell Support <support@deskbell.example> ha scritto:
Op 12 mei 2027 om 10:00 heeft Deskbell Support <support@deskbell.example> het volgende geschreven:
Op 12 mei 2027, om 10:00 heeft Deskbell Support <support@deskbell.example> het volgende geschreven:
2027/05/12 10:00、Deskbell Support <support@deskbell.example>のメール:
12 мая 2027 г., в 10:00, Deskbell Support <support@deskbell.example> написал(а):
2027年5月12日 10:00，Deskbell Support <support@deskbell.example> 写道：
Wiadomość napisana przez Deskbell Support <support@deskbell.example> w dniu 12 maj 2027, o godz. 10:00:
12 maj 2027 kl. 10:00 skrev Deskbell Support <support@deskbell.example>:
Den 12. maj 2027 kl. 10.00 skrev Deskbell Support <support@deskbell.example>:
12. mai 2027 kl. 10:00 skrev Deskbell Support <support@deskbell.example>:
Deskbell Support <support@deskbell.example> kirjoitti 12.5.2027 kello 10.00:
El 12 may 2027, a las 10:00, Deskbell Support <support@deskbell.example> escribió:
No dia 12/05/2027, às 10:00, Deskbell Support <support@deskbell.example> escreveu:
Em 12 de mai. de 2027, à(s) 10:00, Deskbell Support <support@deskbell.example> escreveu:
Am 12.05.27 um 10:00 schrieb Deskbell Support:
On 12/05/2027 10:00, Deskbell Support wrote:
On 5/12/27 10:00 AM, Deskbell Support wrote:
On 2027-05-12 10:00, Deskbell Support wrote:
Le 12/05/2027 à 10:00, Deskbell Support a écrit :
Il 12/05/2027 10:00, Deskbell Support ha scritto:
El 12/5/27 a las 10:00, Deskbell Support escribió:
Em 12/05/2027 10:00, Deskbell Support escreveu:
Op 12-05-2027 om 10:00 schreef Deskbell Support:
W dniu 12.05.2027 o 10:00, Deskbell Support pisze:
Dne 12. 05. 27 v 10:00 Deskbell Support napsal(a):
12.05.2027 10:00, Deskbell Support пишет:
Den 2027-05-12 kl. 10:00, skrev Deskbell Support:
Den 12.05.2027 10:00, skrev Deskbell Support:
Deskbell Support kirjoitti 12.5.2027 klo 10.00:
2027. 05. 12. 10:00 keltezéssel, Deskbell Support írta:
12.05.2027 10:00 tarihinde Deskbell Support yazdı:
Στις 12/5/2027 10:00, ο Deskbell Support έγραψε:
在 2027/5/12 10:00, Deskbell Support 写道:
On 2027/05/12 10:00, Deskbell Support wrote:
Deskbell Support <support@deskbell.example> schrieb am 12.05.2027 10:00:00:
Deskbell Support <support@deskbell.example> wrote on 05/12/2027 10:00:00 AM:
"Deskbell Support" <support@deskbell.example> schrieb am Mi., 12. Mai 2027, 10:00:
Deskbell Support <support@deskbell.example> schrieb am Mi., 12. Mai 2027, 10:00 Uhr:
Deskbell Support <support@deskbell.example> hat am 12.05.2027 10:00 CEST geschrieben:
On Wednesday, May 12th, 2027 at 10:00 AM, Deskbell Support <support@deskbell.example> wrote:
On Wednesday, May 12, 2027 at 10:00:00 AM GMT+2, Deskbell Support <support@deskbell.example> wrote:
Am Mittwoch, 12. Mai 2027, 10:00:00 CEST schrieb Deskbell Support:
On Wed, 2027-05-12 at 10:00 +0200, Deskbell Support wrote:
On Wed, May 12, 2027 at 10:00:00AM +0200, Deskbell Support wrote:
Среда, 12 мая 2027, 10:00 +03:00 от Deskbell Support <support@deskbell.example>:
12.05.2027, 10:00, "Deskbell Support" <support@deskbell.example>:
12.05.2027, 10:00, Deskbell Support (support@deskbell.example):
At 2027-05-12 10:00:00, "Deskbell Support" <support@deskbell.example> wrote:
在 2027-05-12 10:00:00，"Deskbell Support" <support@deskbell.example> 写道：
""".splitlines()
# Wrapped, indented, or with marks of the direction of writing.
INTRODUCTIONS += [
    "On Wed, May 12, 2027 at 10:00 AM Deskbell Support\n<support@deskbell.example> wrote:",
    "On Wed, 12 May 2027 at 10:00, Deskbell Support <support@deskbell.example>\nwrote:",
    "Am Mi., 12. Mai 2027 um 10:00 Uhr schrieb Deskbell Support\n<support@deskbell.example>:",
    "Le mer. 12 mai 2027 à 10:00, Deskbell Support <support@deskbell.example> a\nécrit :",
    (
        "في الأربعاء، ١٢ مايو ٢٠٢٧ في ١٠:٠٠ ص تمت كتابة ما يلي "
        "بواسطة \u202aDeskbell\u202c\u200f <\u202asupport@deskbell.example\u202c\u200f>:"
    ),
    (
        "\u202bבתאריך יום ד׳, 12 במאי 2027 ב-10:00 מאת \u202aDeskbell\u202c\u200f "
        "<\u202asupport@deskbell.example\u202c\u200f>:\u202c"
    ),
    " On Wednesday, May 12, 2027 at 10:00:00 AM GMT+2, Deskbell Support <support@deskbell.example> wrote:  ",
    (
        "    Am Mittwoch, 12. Mai 2027 um 10:00:00 MESZ hat Deskbell "
        "Support <support@deskbell.example> Folgendes geschrieben:"
    ),
    "    Le mercredi 12 mai 2027 à 10:00:00 UTC+2, Deskbell Support <support@deskbell.example> a écrit :",
    "    En miércoles, 12 de mayo de 2027, 10:00:00 GMT+2, Deskbell Support <support@deskbell.example> escribió:",
    ("    Il mercoledì 12 maggio 2027 alle ore 10:00:00 CEST, Deskbell Support <support@deskbell.example> ha scritto:"),
    "    Em quarta-feira, 12 de maio de 2027 10:00:00 BRT, Deskbell Support <support@deskbell.example> escreveu:",
    "    Op woensdag 12 mei 2027 om 10:00:00 CEST schreef Deskbell Support <support@deskbell.example>:",
]
HEADERS = """\
From: Deskbell Support <support@deskbell.example>
Sent: Wednesday, May 12, 2027 10:00 AM
To: Mara <mara@orchard.example>
Subject: RE: The door

Von: Deskbell Support <support@deskbell.example>
Gesendet: Mittwoch, 12. Mai 2027 10:00
An: Mara <mara@orchard.example>
Betreff: AW: The door

De : Deskbell Support <support@deskbell.example>
Envoyé : mercredi 12 mai 2027 10:00
À : Mara <mara@orchard.example>
Objet : RE: The door

De: Deskbell Support <support@deskbell.example>
Enviado: miércoles, 12 de mayo de 2027 10:00
Para: Mara <mara@orchard.example>
Asunto: RE: The door

De: Deskbell Support <support@deskbell.example>
Enviada em: quarta-feira, 12 de maio de 2027 10:00
Para: Mara <mara@orchard.example>
Assunto: RES: The door

Da: Deskbell Support <support@deskbell.example>
Inviato: mercoledì 12 maggio 2027 10:00
A: Mara <mara@orchard.example>
Oggetto: R: The door

Van: Deskbell Support <support@deskbell.example>
Verzonden: woensdag 12 mei 2027 10:00
Aan: Mara <mara@orchard.example>
Onderwerp: RE: The door

Från: Deskbell Support <support@deskbell.example>
Skickat: den 12 maj 2027 10:00
Till: Mara <mara@orchard.example>
Ämne: SV: The door

Fra: Deskbell Support <support@deskbell.example>
Sendt: 12. maj 2027 10:00
Til: Mara <mara@orchard.example>
Emne: SV: The door

Lähettäjä: Deskbell Support <support@deskbell.example>
Lähetetty: keskiviikko 12. toukokuuta 2027 10.00
Vastaanottaja: Mara <mara@orchard.example>
Aihe: VS: The door

Od: Deskbell Support <support@deskbell.example>
Wysłano: środa, 12 maja 2027 10:00
Do: Mara <mara@orchard.example>
Temat: RE: The door

Od: Deskbell Support <support@deskbell.example>
Odesláno: středa 12. května 2027 10:00
Komu: Mara <mara@orchard.example>
Předmět: RE: The door

Odosielateľ: Deskbell Support <support@deskbell.example>
Odoslané: streda 12. mája 2027 10:00
Komu: Mara <mara@orchard.example>
Predmet: RE: The door

Feladó: Deskbell Support <support@deskbell.example>
Elküldve: 2027. május 12., szerda 10:00
Címzett: Mara <mara@orchard.example>
Tárgy: RE: The door

De la: Deskbell Support <support@deskbell.example>
Trimis: miercuri, 12 mai 2027 10:00
Către: Mara <mara@orchard.example>
Subiect: RE: The door

От: Deskbell Support <support@deskbell.example>
Отправлено: 12 мая 2027 г. 10:00
Кому: Mara <mara@orchard.example>
Тема: RE: The door

Від: Deskbell Support <support@deskbell.example>
Надіслано: 12 травня 2027 р. 10:00
Кому: Mara <mara@orchard.example>
Тема: RE: The door

Kimden: Deskbell Support <support@deskbell.example>
Gönderildi: 12 Mayıs 2027 Çarşamba 10:00
Kime: Mara <mara@orchard.example>
Konu: RE: The door

Από: Deskbell Support <support@deskbell.example>
Στάλθηκε: Τετάρτη, 12 Μαΐου 2027 10:00
Προς: Mara <mara@orchard.example>
Θέμα: RE: The door

发件人: Deskbell Support <support@deskbell.example>
发送时间: 2027年5月12日 10:00
收件人: Mara <mara@orchard.example>
主题: 回复: The door

寄件者: Deskbell Support <support@deskbell.example>
寄件日期: 2027年5月12日 10:00
收件者: Mara <mara@orchard.example>
主旨: RE: The door

差出人: Deskbell Support <support@deskbell.example>
送信日時: 2027年5月12日 10:00
宛先: Mara <mara@orchard.example>
件名: RE: The door

보낸 사람: Deskbell Support <support@deskbell.example>
보낸 날짜: 2027년 5월 12일 수요일 오전 10:00
받는 사람: Mara <mara@orchard.example>
제목: RE: The door

من: Deskbell Support <support@deskbell.example>
تم الإرسال: 12 مايو 2027 10:00
إلى: Mara <mara@orchard.example>
الموضوع: رد: The door

מאת: Deskbell Support <support@deskbell.example>
נשלח: יום רביעי 12 מאי 2027 10:00
אל: Mara <mara@orchard.example>
נושא: RE: The door

Gesendet: Mittwoch, 12. Mai 2027 um 10:00 Uhr
Von: "Deskbell Support" <support@deskbell.example>
An: mara@orchard.example
Betreff: Re: The door

From: "Deskbell Support" <support@deskbell.example>
To: "Mara" <mara@orchard.example>
Cc: "Tom" <tom@mill.example>
Sent: Wednesday, 12 May, 2027 10:00:00
Subject: Re: The door

From: Deskbell Support
Date: 12/05/2027 10:00 (GMT+01:00)
To: Mara <mara@orchard.example>
Subject: Re: The door

Van: "Deskbell Support" <support@deskbell.example>
Aan: "Mara" <mara@orchard.example>
Datum: 12-05-2027 10:00
Onderwerp: Re: The door

Datum: 12.05.2027 10:00
Von: Deskbell Support <support@deskbell.example>
An: Mara
Betreff: Re: The door
""".rstrip("\n").split("\n\n")
RULES = [
    "-----Original Message-----",
    "-------- Original message --------",
    "-------- Ursprüngliche Nachricht --------",
    "-----Ursprüngliche Nachricht-----",
    "------ Originalnachricht ------",
    "------ Original Message ------",
    "------- Original Message -------",
    "----- Original Message -----",
    "-----Message d'origine-----",
    "-------- Message d'origine --------",
    "-------- Message d’origine --------",
    "-----Mensaje original-----",
    "-------- Mensaje original --------",
    "-----Mensagem Original-----",
    "-------- Messaggio originale --------",
    "-----Oorspronkelijk bericht-----",
    "-------- Oorspronkelijk bericht --------",
    "-----Ursprungligt meddelande-----",
    "-----Oprindelig meddelelse-----",
    "-----Alkuperäinen viesti-----",
    "-----Original-Nachricht-----",
    "------------------ 原始邮件 ------------------",
    "------------------ Original ------------------",
    "-----邮件原件-----",
    "-----Oryginalna wiadomość-----",
    "-----Wiadomość oryginalna-----",
    "-----Původní zpráva-----",
    "-----Исходное сообщение-----",
    "-------- Исходное сообщение --------",
    "-----Eredeti üzenet-----",
    "-----Mesaj original-----",
    "-----Orijinal Mesaj-----",
    "-----元のメッセージ-----",
    "-----Opprinnelig melding-----",
    "-------- Původní e-mail ----------",
    "-------- 원본 메시지 --------",
    "---------- Původní e-mail ----------",
    "---- On Wed, 12 May 2027 10:00:00 +0200 Deskbell Support <support@deskbell.example> wrote ----",
    "---- Am Mi, 12 Mai 2027 10:00:00 +0200 Deskbell Support <support@deskbell.example> schrieb ----",
]
ENDINGS = [
    "Sent from my iPhone",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Get Outlook for iOS<https://aka.ms/o0ukef>",
    "Get Outlook for Android",
    "Holen Sie sich Outlook für iOS<https://aka.ms/o0ukef>",
    "Télécharger Outlook pour iOS",
    "Obtener Outlook para Android",
    "Outlook voor iOS downloaden",
    "Sent from Yahoo Mail on Android",
    "Sent from Mail for Windows 10",
    "Sent from Mail for Windows",
    "Gesendet von Mail für Windows",
    "Envoyé à partir de Outlook",
    "Envoyé depuis mon mobile",
    "Von Samsung Mobile gesendet",
    "Gesendet mit der GMX Mail App",
    "Diese Nachricht wurde von meinem Android-Gerät mit GMX Mail gesendet.",
    "Enviado desde mi iPhone",
    "Enviado do meu iPhone",
    "Inviato da iPhone",
    "Inviato dal mio iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Skickat från min iPhone",
    "Sendt fra min iPhone",
    "Lähetetty iPhonesta",
    "Wysłane z iPhone'a",
    "Odesláno z iPhonu",
    "Отправлено с iPhone",
    "Отправлено из мобильной Почты Mail.ru",
    "iPhone'umdan gönderildi",
    "iPhoneから送信",
    "从我的 iPhone 发送",
    "发自我的iPhone",
    "傳自我的 iPhone",
    "나의 iPhone에서 보냄",
    "Sent via ProtonMail mobile",
    "Sent with Proton Mail secure email.",
    "Sent from Proton Mail for iOS",
    "Gesendet von Outlook für Android",
    "Sent from Samsung Mobile.",
    "Sent from my Galaxy",
    "Sent from my T-Mobile 5G Device",
    "Yahoo Mail: Search, Organize, Conquer",
    "أُرسلت من الـ iPhone",
    "נשלח מה-iPhone שלי",
    "Στάλθηκε από το iPhone μου",
    "Trimis de pe iPhone-ul meu",
    "Küldve az iPhone-omról",
    "--\nMara\nOrchard Ltd",
    "-- \nMara",
    "—\nMara",
]
# What a person wrote, though it looks a little like the work of a program.
OWN_WORDS = [
    "Hallo,\n\nVon meinem Handy aus geht es nicht",
    "Hi,\n\nSent the Outlook file to you yesterday",
    "Hallo\n\nDie Mail wurde nicht gesendet",
    "내 iPhone이 고장났어요",
    "Hi\n\nVon Windows aus geht es",
    "Bonjour\n\nEnvoyé hier le fichier Outlook",
    "Wir fahren wie folgt:\n\nVon: Berlin\nAn: München\nAm 12.5. um 10:00 Uhr",
    "Dear team,\n\nI wrote on Monday:\n\nplease cancel order 55",
    "On 12 May 2027 I called. She said:\n\nplease wait",
    "- one\n- two\n- three",
    "My details:\nFrom: Anna\nTo: Ben\nSubject: Maths\nok?",
    "Error log:\n-----\nFoo failed\n-----\nbar",
    "The times are:\n10:00 Anna\n12:00 Ben",
    "Step 1:\nOpen 2.0\nStep 2:\nClose",
    "Name: Mara\nDate: 12.5.2027\nTo: the door\nSubject: keys",
    "Hallo,\nam 12.05.2027 schrieb mir Herr Meier:\nDie Tür ist zu.\nStimmt das?",
    "I ordered on 12 May 2027 from you, order:\n\nKS-40\n",
    "Sent from Hamburg to Berlin on May 3, not arrived.",
    "Here is the output:\n> foo\n> bar\nWhat is wrong?",
]


@pytest.mark.parametrize("quote", [QUOTED, f"\n{QUOTED}", f"\n{BARE}"], ids=["quoted", "below a blank line", "bare"])
@pytest.mark.parametrize("introduction", INTRODUCTIONS)
def test_a_quote_is_folded_with_its_introduction(introduction: str, quote: str) -> None:
    split = split_reply(f"{NEW}\n\n{introduction}\n{quote}")
    assert split.new == NEW
    assert split.folded == f"{introduction}\n{quote}"


@pytest.mark.parametrize("above", ["", "________________________________\n", "-----Original Message-----\n"])
@pytest.mark.parametrize("header", HEADERS)
def test_a_quote_is_folded_with_the_header_above_it(header: str, above: str) -> None:
    assert split_reply(f"{NEW}\n\n{above}{header}\n\n{BARE}").new == NEW


@pytest.mark.parametrize("header", HEADERS)
def test_a_header_in_bold_is_one_too(header: str) -> None:
    bold = "\n".join("*{}:*{}".format(*line.split(":", 1)) for line in header.split("\n"))
    assert split_reply(f"{NEW}\n\n{bold}\n\n{BARE}").new == NEW


@pytest.mark.parametrize("rule", RULES)
def test_a_quote_is_folded_below_the_rule_that_announces_it(rule: str) -> None:
    assert split_reply(f"{NEW}\n\n{rule}\n\n{BARE}").new == NEW


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_a_program_writes_beneath_is_folded(ending: str) -> None:
    assert split_reply(f"{NEW}\n\n{ending}").new == NEW


@pytest.mark.parametrize("text", OWN_WORDS)
def test_what_a_person_wrote_is_not_taken_for_a_quote_or_a_signature(text: str) -> None:
    assert split_reply(text).new == text.strip("\n")
    assert split_reply(text).folded == ""


def test_a_line_above_a_wrapped_introduction_stays() -> None:
    said = "I sent it on 12.05.2027 at 10:00 to <anna@example.com> and have heard nothing since"
    split = split_reply(f"{said}\nOn 13.05.2027 10:00, Anna <anna@example.com> wrote:\n> ok")
    assert split.new == said


def test_a_name_behind_a_dash_goes_with_the_quote_and_a_signature_above_it_stays() -> None:
    quote = "On 13.05.2027 10:00, Anna <anna@example.com> wrote:\n> ok"
    assert split_reply(f"Thanks.\n\n-Mara\n\n{quote}").new == "Thanks."
    assert split_reply(f"- one\n\n- two\n\n{quote}").new == "- one\n\n- two"
    assert split_reply(f"Thanks.\n\n-- \nMara\n\n{quote}").new == "Thanks.\n\n-- \nMara"
