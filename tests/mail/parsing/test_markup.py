"""HTML: what is shown is safe, what is read is complete."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deskbell.mail.parsing import parse
from deskbell.mail.parsing.markup import sanitised
from deskbell.mail.parsing.markup_text import to_text
from deskbell.mail.parsing.soup import MAX_DEPTH, Close, Open, tokens


def from_html(html: str) -> bytes:
    return b"Content-Type: text/html; charset=utf-8\n\n" + html.encode()


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One</p><p>Two<br>Three</p>", "One\n\nTwo\nThree"),
        ("a<div>b</div><div><br></div><div>c</div>", "a\nb\n\nc"),
        ("<ul><li>one<li>two<ul><li>deep</ul></ul>end", "- one\n- two\n  - deep\n\nend"),
        ("<ol><li><p>one</p><li>two</ol>", "1. one\n2. two"),
        ("<blockquote>a<blockquote>b</blockquote></blockquote>c", "> a\n>\n> > b\n\nc"),
        ('<a href="https://x.example/y">here</a>', "here <https://x.example/y>"),
        ('<a href="https://x.example/">x.example</a> <a href="mailto:a@b.c">a@b.c</a>', "x.example a@b.c"),
        ("<pre>a\n  b\n</pre>c", "a\n  b\n\nc"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a b\nc"),
        ("1 < 2 &amp;&lt;b&gt; &nbsp;x", "1 < 2 &<b>  x"),
        ("<style>p {}</style><title>t</title><!-- <p>no</p> -->yes", "yes"),
        ("<script>never closed", "never closed"),
        ("a<!-- never closed", "a"),
        ('<p title="a > b">c</p>', "c"),
        ('<img alt="logo">', "[logo]"),
        ("<p class=MsoNormal>a</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>b</p>", "a\n\nb"),
        ("</div></div>text</p>", "text"),
    ],
)
def test_html_is_read_as_a_person_would_have_typed_it(html: str, text: str) -> None:
    assert to_text(tokens(html)).text == text


def test_a_quote_below_an_answer_in_html_is_folded() -> None:
    html = (
        '<div dir="ltr">Yes.</div><br><div class="gmail_quote">'
        '<div class="gmail_attr">Pada 3 Mei, Anna bilang:<br></div>'
        '<blockquote class="gmail_quote">Really?</blockquote></div>'
    )
    mail = parse(from_html(html))
    assert mail.new_text == "Yes."
    assert mail.folded_text == "Pada 3 Mei, Anna bilang:\n\n> Really?"


def test_images_written_into_the_html_become_files_that_it_shows() -> None:
    mail = parse(from_html('<p>x</p><img src="data:image/png;base64,' + "A" * 3_000_000 + '">'))
    assert mail.html == '<p>x</p><img src="cid:image-1@inline.invalid">'
    (image,) = mail.attachments
    assert (image.file_name, image.media_type, len(image.content)) == ("image-1.png", "image/png", 2_250_000)
    assert image.is_inline


def test_other_data_in_the_html_is_dropped() -> None:
    assert parse(from_html('<p>x</p><img src="data:text/html;base64,AAAA">')).html == "<p>x</p><img>"


def test_a_very_large_html_is_kept_as_a_file() -> None:
    large = parse(from_html("<p>hello</p>" * 200_000))
    assert large.html is None
    assert [each.file_name for each in large.attachments] == ["message.html"]
    assert large.text.startswith("hello\n\nhello")


HOSTILE = {
    "nested": "<div>" * 180_000,
    "fonts that every paragraph repeats": "".join(f"<font color={n}><p>x" for n in range(900)) + "<p>x" * 100_000,
    "closed where it does not count": "<div><!--</div>-->" * 50_000,
    "attributes": "<p " + " ".join(f"a{n}" for n in range(100_000)) + ">",
    "quotes": "<a \"<a '" * 100_000,
    "unclosed tags": "<a " * 300_000,
    "entities": "&" * 99_000,
    "less than": "<" * 900_000,
    "scripts": "<script>" * 100_000,
    "comments": "<!--" * 200_000,
    "images": "<img alt=x>" * 80_000,
    "links": "<a href=http://x>" * 50_000,
    "lists": "<ul><li>x" * 900 + "<li>y" * 150_000,
}


@pytest.mark.parametrize("html", HOSTILE.values(), ids=HOSTILE)
def test_hostile_html_is_read_in_seconds(html: str) -> None:
    begun = process_time()
    parse(from_html(html))
    assert process_time() - begun < 8  # alone on a core it takes under 2


TAGS = "<p> </p> <div> </div> <b> </b> <td> <tr> <table> </table> <li> <ul> </ul> <br> <script> </script> <style> <svg>"
OTHERS = "<!-- --> <img> <a> </a> <blockquote> </blockquote> <pre> </pre> <hr> & &amp; &#0; &lt; < > \" ' ="
EVIL = [
    "<img src=http://evil.example/x>",
    "<img src='cid:a' onerror=alert(1)>",
    '<a href="javascript:alert(1)">',
    '<p style="background:url(http://evil.example)">',
    "<iframe src=//evil.example>",
    "<p class=gmail_quote>",
]
PIECES = st.sampled_from([*TAGS.split(), *OTHERS.split(), *EVIL])
HTML = st.lists(PIECES | st.text(max_size=8), max_size=30).map("".join)


@given(HTML)
def test_tags_are_balanced_and_never_deep(html: str) -> None:
    opened: list[str] = []
    for token in tokens(html):
        if isinstance(token, Close):
            assert opened.pop() == token.name
        elif isinstance(token, Open) and token.name not in {"img", "br", "hr"}:
            opened.append(token.name)
        assert len(opened) <= MAX_DEPTH
    assert opened == []


@given(HTML)
def test_what_is_shown_loads_and_runs_nothing(html: str) -> None:
    shown = sanitised(tokens(html))
    tags = " ".join(re.findall(r"<[^>]*>", shown)).lower()
    assert not re.search(r"src=\"(?!cid:)|<script|<iframe|<svg|<style|javascript:|url\(|\son\w+=", tags)


@given(HTML)
def test_html_of_any_kind_is_rendered(html: str) -> None:
    rendered = to_text(tokens(html))
    assert all(0 <= mark < len(rendered.text.split("\n")) for mark in rendered.marks)
