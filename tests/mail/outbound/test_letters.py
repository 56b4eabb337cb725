"""Letters: from facts to what is read. What comes from outside stands in them as it is, and does nothing."""

import re
from dataclasses import replace

import pytest

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.languages import languages
from deskbell.mail.outbound.letters import BLOCKS, ORIGINALS, Facts, Quote, Wording
from deskbell.mail.outbound.models import OutboundKind
from deskbell.mail.outbound.plain import text_of
from deskbell.mail.outbound.rendering import render
from deskbell.mail.outbound.templates import checked, preview, template_of

EVIL = "*x* [y](javascript:alert(1)) <script>alert(1)</script> {{ link }} {% if %} \u202e"
FACTS = Facts(
    link="https://help.example.org/r?key=a&b=c",
    site="help.example.org",
    seconds=3600,
    number="DB-1",
    title=EVIL,
    requester=EVIL,
    agent=EVIL,
    author=EVIL,
    recipient=EVIL,
    words=EVIL,
    signature=EVIL,
    quote=Quote(EVIL, "today", EVIL),
    files=(EVIL,),
    reason=(EVIL,),
    can_reply=True,
)
EMPTY = Facts(link="", site="help.example.org", number="DB-1", title="Card", author="Sam", words="Hello")
ALL = [(kind, code) for kind in OutboundKind for code in languages()]


@pytest.mark.parametrize(("kind", "code"), ALL)
def test_every_letter_of_ours_is_lawful_and_leaves_nothing_unfilled(kind: OutboundKind, code: str) -> None:
    ours = template_of(kind, code)
    assert checked(kind, ours.subject, ours.body) == Wording(ours.subject, ours.body)
    rendered = preview(kind, code, ours.subject, ours.body)
    for said in (rendered.subject, rendered.text, rendered.html):
        assert said
        assert not re.search(r"\{\{|\{%|zq[0-9a-f]{16}", said)
    assert f'dir="{languages()[code].direction}"' in rendered.html


@pytest.mark.parametrize("kind", OutboundKind)
def test_what_comes_from_outside_is_neither_markup_nor_template(kind: OutboundKind) -> None:
    body = "\n\n".join(f"**{{{{ {name} }}}}** [here]({{{{ {name} }}}})" for name in sorted(ORIGINALS[kind].names))
    rendered = render(kind, FACTS, "en", Wording("{{ site }}", f"{{{{ link }}}}\n\n{body}"))
    assert "<script" not in rendered.html
    assert 'href="javascript' not in rendered.html
    ours = render(kind, FACTS, "en")
    assert "<script" not in ours.html
    assert "\u202e" not in ours.subject
    if kind is OutboundKind.ANSWERED:
        assert EVIL in ours.text


def test_a_link_is_a_button_by_itself_and_an_address_within_a_line() -> None:
    words = Wording("x", "{{ link }}\n\nOr [here]({{ link }}), which is {{ link }}.")
    rendered = render(OutboundKind.LOG_IN, FACTS, "en", words)
    assert rendered.html.count('class="button"') == 1
    assert rendered.html.count('href="https://help.example.org/r?key=a&amp;b=c"') == 3
    assert rendered.text == (
        "Log in:\nhttps://help.example.org/r?key=a&b=c\n\n"
        "Or here (https://help.example.org/r?key=a&b=c), which is https://help.example.org/r?key=a&b=c.\n"
    )


def test_what_there_is_not_leaves_no_gap() -> None:
    rendered = render(OutboundKind.ANSWERED, EMPTY, "en")
    assert rendered.text == "Sam has answered your request DB-1:\n\nHello\n"
    assert 'class="button"' not in rendered.html
    assert "<p></p>" not in rendered.html


def test_a_long_subject_is_cut_and_one_line() -> None:
    rendered = render(OutboundKind.ANSWERED, replace(EMPTY, title="a\r\nBcc: x " * 100), "en")
    assert len(rendered.subject) <= 200
    assert "\n" not in rendered.subject


@pytest.mark.parametrize("kind", [kind for kind in OutboundKind if ORIGINALS[kind].needed])
def test_what_a_letter_is_for_cannot_be_left_out(kind: OutboundKind) -> None:
    needed = ORIGINALS[kind].needed
    for body in ("Nothing", f"{{% if site %}}{{{{ {needed} }}}}{{% endif %}}", f"{{# {{{{ {needed} }}}} #}}x"):
        with pytest.raises(InvalidError) as caught:
            checked(kind, "Subject", body)
        assert (caught.value.field, caught.value.position) == ("body", len(body))
    assert checked(kind, "Subject", f"{{{{ {needed} }}}}").body


@pytest.mark.parametrize("name", sorted(BLOCKS))
def test_paragraphs_and_links_are_not_for_subjects(name: str) -> None:
    with pytest.raises(InvalidError) as caught:
        checked(OutboundKind.ANSWERED, f"x {{{{ {name} }}}}", "{{ message }}")
    assert (caught.value.field, caught.value.position) == ("subject", 5)


def test_markdown_is_plain_in_the_plain_text() -> None:
    markdown = (
        "# Hello\n\nSome **bold** and *slanted* `code`,\nsecond line.\n\n- one\n- two\n\n  more\n\n3. three\n\n"
        "> said\n\n"
        "[Site](https://x.test) <https://y.test>\n\n---\n\n```\nas\nis\n```"
    )
    assert text_of(markdown) == (
        "Hello\n\nSome bold and slanted code,\nsecond line.\n\n- one\n\n- two\n\n  more\n\n3. three\n\n> said\n\n"
        "Site (https://x.test) https://y.test\n\n---\n\nas\nis"
    )


@pytest.mark.parametrize(
    "body", ["> " * 9_000 + "x", "*" * 20_000, "[" * 20_000, "`" * 20_000, "- " * 10_000, "<" * 20_000]
)
def test_markdown_that_was_built_to_be_slow_is_read(body: str) -> None:
    assert preview(OutboundKind.OPENED, "en", "x", body).html
