"""The part of the HTML that was written now, cut out where its text is cut, and images that lie elsewhere."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.mail.parsing import ParsedMail, parse

SAMPLES = Path(__file__).parent.parent / "samples"
SHARED = Path(__file__).parents[4] / "shared" / "data" / "mail" / "talon" / "html_replies"
ORIGINAL = "<p>Does it still show 14 degrees?</p>"


def sample(name: str) -> ParsedMail:
    return parse((SAMPLES / f"{name}.eml").read_bytes())


def from_html(html: str) -> ParsedMail:
    return parse(b"Content-Type: text/html; charset=utf-8\n\n" + html.encode())


REPLIES = {
    "Gmail": (
        (
            '<div dir="ltr">Yes, <b>still</b>.</div><br><div class="gmail_quote">'
            '<div dir="ltr" class="gmail_attr">On Wed, 12 May 2027, X &lt;x@y.example&gt; wrote:<br></div>'
            f'<blockquote class="gmail_quote">{ORIGINAL}</blockquote></div>'
        ),
        '<div dir="ltr">Yes, <b>still</b>.</div>',
    ),
    "Apple Mail": (
        (
            "<html><body>Yes, <b>still</b>.<div><br><blockquote type='cite'>"
            f"<div>On 12 May 2027, at 10:00, X &lt;x@y.example&gt; wrote:</div><br>"
            f"{ORIGINAL}</blockquote></div><br></body></html>"
        ),
        "Yes, <b>still</b>.",
    ),
    "Thunderbird": (
        (
            "<p>Yes, <b>still</b>.</p><div class='moz-cite-prefix'>Am 12.05.27 um 10:00 schrieb X:<br></div>"
            f"<blockquote type='cite' cite='mid:a@b'>{ORIGINAL}</blockquote>"
        ),
        "<p>Yes, <b>still</b>.</p>",
    ),
    "Outlook": (
        (
            "<div class=WordSection1><p class=MsoNormal>Yes, <b>still</b>.</p><p class=MsoNormal>&nbsp;</p>"
            "<div><div style='border:none;border-top:solid #E1E1E1 1.0pt'>"
            "<p class=MsoNormal><b>From:</b> X &lt;x@y.example&gt;<br><b>Sent:</b> Wednesday, 12 May 2027 10:00<br>"
            f"<b>To:</b> Mara<br><b>Subject:</b> The door</p></div></div>{ORIGINAL}</div>"
        ),
        '<div><p style="margin:0">Yes, <b>still</b>.</p></div>',
    ),
    "Outlook on the web": (
        (
            '<div class="elementToProof">Yes, <b>still</b>.</div><div id="appendonsend"></div><hr>'
            f"<div id='divRplyFwdMsg'><b>From:</b> X<br><b>Sent:</b> 12 May 2027<br>"
            f"<b>To:</b> Mara<br><b>Subject:</b> y</div>{ORIGINAL}"
        ),
        "<div>Yes, <b>still</b>.</div>",
    ),
    "Yahoo": (
        (
            '<div class="ydp"><div>Yes, <b>still</b>.</div><div><br></div></div>'
            '<div id="yahoo_quoted_1" class="yahoo_quoted">'
            f"<div>On Wednesday, 12 May 2027 at 10:00:00 CEST, X &lt;x@y.example&gt; wrote:</div>{ORIGINAL}</div>"
        ),
        "<div><div>Yes, <b>still</b>.</div></div>",
    ),
    "GMX": (
        (
            "<div>Yes, <b>still</b>.<div>&nbsp;<div name='quote' style='border-left:2px solid'><b>Gesendet:</b> Mi<br>"
            f"<b>Von:</b> X<div name='quoted-content'>{ORIGINAL}</div></div></div></div>"
        ),
        "<div>Yes, <b>still</b>.</div>",
    ),
    "Zimbra": (
        (
            "<div>Yes, <b>still</b>.<br><br><hr id='zwchr'><b>De: </b>X &lt;x@y.example&gt;<br><b>À: </b>Mara<br>"
            f"<b>Envoyé: </b>Mercredi 12 Mai 2027 10:00:00<br><b>Objet: </b>y<br>{ORIGINAL}</div>"
        ),
        "<div>Yes, <b>still</b>.</div>",
    ),
    "Proton Mail": (
        (
            '<div>Yes, <b>still</b>.</div><div class="protonmail_signature_block"></div><div class="protonmail_quote">'
            f"On Wednesday, May 12th, 2027 at 10:00, X &lt;x@y.example&gt; wrote:<br>"
            f"<blockquote>{ORIGINAL}</blockquote></div>"
        ),
        "<div>Yes, <b>still</b>.</div>",
    ),
}


@pytest.mark.parametrize(("html", "new"), REPLIES.values(), ids=REPLIES)
def test_the_quote_is_cut_off_where_the_program_begins_it(html: str, new: str) -> None:
    mail = from_html(html)
    assert mail.new_text == "Yes, still."
    assert mail.new_html == new
    assert mail.html is not None
    assert "14 degrees" in mail.html


def test_a_reply_with_a_text_beside_the_html_has_both() -> None:
    mail = sample("gmail_html")
    assert mail.new_text.startswith("It is *still* warm")
    assert mail.new_html is not None
    assert mail.new_html.startswith('<div dir="ltr"><div>It is <b>still</b> warm')
    assert mail.new_html.endswith("<div>Mara</div></div></div>")
    assert "14 degrees" not in mail.new_html


def test_html_that_says_something_else_than_the_text_is_not_shown_as_new() -> None:
    raw = b"Content-Type: multipart/alternative; boundary=x\n\n--x\n\nOpen this in another program.\n--x\n"
    mail = parse(raw + b"Content-Type: text/html\n\n<p>Buy now</p>\n--x--")
    assert mail.html == "<p>Buy now</p>"
    assert mail.new_html is None


def test_a_picture_above_the_quote_is_new_and_one_within_is_not() -> None:
    html = '<div>See:<br><img src="cid:a"></div>'
    quote = '<div class="gmail_quote"><img src="cid:logo">On 1.2.2027 10:00 X wrote:<br><blockquote>old</blockquote>'
    mail = from_html(html + quote)
    assert mail.new_html == '<div>See:<br><img src="cid:a"></div>'


def test_html_without_a_quote_is_all_new() -> None:
    mail = from_html("<p>Hello</p><p>Mara</p>")
    assert mail.new_html == mail.html == "<p>Hello</p><p>Mara</p>"


def test_a_message_without_html_has_none() -> None:
    assert (sample("reply_with_quote").new_html, sample("reply_with_quote").html_with_images) == (None, None)


def test_pictures_from_elsewhere_are_shown_only_in_the_html_that_is_asked_for() -> None:
    mail = sample("newsletter")
    assert mail.remote_images
    assert mail.html is not None
    assert "images.example" not in mail.html
    assert mail.html_with_images is not None
    assert '<img src="https://images.example/head.png" alt="Seeds">' in mail.html_with_images


def test_a_message_without_pictures_from_elsewhere_says_so() -> None:
    assert not from_html('<img src="cid:a"><img src="ftp://files.example/x"><p>Hello</p>').remote_images


def test_pictures_from_servers_without_encryption_can_be_asked_for_as_well() -> None:
    mail = from_html('<img src="http://old.example/x.png"><p>Hello</p>')
    assert (mail.remote_images, mail.html) == (True, "<img><p>Hello</p>")
    assert "http://old.example/x.png" in (mail.html_with_images or "")


@pytest.mark.skipif(not SHARED.is_dir(), reason="the real replies in ../shared/data/mail are not here")
def test_real_replies_in_html_are_cut() -> None:
    for path in sorted(SHARED.glob("*.html")):
        mail = parse(b"Content-Type: text/html; charset=utf-8\n\n" + path.read_bytes())
        assert mail.new_html is not None, path.stem
        assert "Alex" in mail.new_html, path.stem
        assert mail.html is not None
        assert len(mail.new_html) < len(mail.html), path.stem


PIECES = st.sampled_from(
    [
        *(
            "<p>",
            "</p>",
            "<div>",
            "</div>",
            "<b>",
            "</b>",
            "<br>",
            "<hr>",
            "<td>",
            "</table>",
            "<li>",
            "</ul>",
            "hello ",
        ),
        *("<blockquote>", "</blockquote>", "<div class=gmail_quote>", "<img src=cid:a>", "On 1.2.2027 10:00 X wrote:"),
        *(
            "-- ",
            "From: x<br>Sent: 1<br>To: y<br>Subject: z<br>",
            "<pre>a\nb</pre>",
            "&gt; quoted",
            "<div id=divRplyFwdMsg>",
        ),
    ]
)


@given(st.lists(PIECES | st.text(max_size=6), max_size=30).map("".join))
def test_what_is_new_in_html_is_safe_and_balanced(html: str) -> None:
    new = from_html(html).new_html
    if new:
        again = from_html(new)
        assert again.html is not None
        assert "".join(again.text.split()) == "".join(from_html(again.html).text.split())
