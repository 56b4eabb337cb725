"""The language of letters: what may stand in it, where it is wrong, and that nothing else gets through."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import nodes

from deskbell.kernel.errors import InvalidError
from deskbell.mail.outbound.wording import LONGEST_BODY, _environment, always_says, check, filled

NAMES = frozenset({"site", "link", "ticket.number"})


def checked(source: str) -> str:
    return check(source, NAMES, field="body", longest=LONGEST_BODY)


@pytest.mark.parametrize(
    "source",
    [
        "No names",
        "{{ site }} {{ticket.number}}",
        "{% if link and not site %}a{% elif ticket.number or site %}b{% else %}c{% endif %}",
        "{%- if link -%} x {%- endif -%}",
        "{# for colleagues #}Hello",
        "100 % {curly} }} %}",
    ],
)
def test_names_and_conditions_are_lawful(source: str) -> None:
    assert checked(source) == source


@pytest.mark.parametrize(
    ("source", "wrong"),
    [
        ("Hi {{ ticket.numbr }}", "ticket.numbr"),
        ("a\nb {{ tickets }}", "tickets"),
        ("{{ ticket }}", "ticket"),
        ("{{ ticket.number.upper }}", "ticket.number.upper"),
        ("{{ 7*7 }}", "7"),
        ("{{ ''.__class__ }}", "''"),
        ("{{ link.__class__.__mro__ }}", "link.__class__"),
        ("{{ ticket['number'] }}", "["),
        ("{{ link|safe }}", "|"),
        ("{{ link() }}", "("),
        ("{{ link ~ link }}", "~"),
        ("{{ not link }}", "not"),
        ("{{ self }}", "self"),
        ("{{ cycler }}", "cycler"),
        ("{% for x in link %}{% endfor %}", "for"),
        ("{% set x = link %}", "="),
        ("{% include 'x' %}", "'x'"),
        ("{% import os %}", "import"),
        ("{% block b %}{% endblock %}", "block"),
        ("{% raw %}x{% endraw %}", "{% raw %}"),
        ("{% if link is defined %}{% endif %}", "is"),
        ("{% if link == site %}{% endif %}", "=="),
        ("{% if link %}never ended", "{% if link %}"),
        ("{{ link", "{{ link"),
        ("{{ link site }}", "{{ link site }}"),
        ("{% endif %}", "{% endif %}"),
    ],
)
def test_anything_else_is_refused_with_its_place(source: str, wrong: str) -> None:
    with pytest.raises(InvalidError) as caught:
        checked(source)
    assert caught.value.field == "body"
    assert caught.value.position is not None
    assert source[caught.value.position :].startswith(wrong)


@pytest.mark.parametrize(
    "source",
    [
        "",
        " \n",
        "x" * (LONGEST_BODY + 1),
        "{% if link %}" * 60 + "{% endif %}" * 60,
        "{% if " + "not " * 2000 + "link %}{% endif %}",
        "{% if " + "link and " * 1000 + "link %}{% endif %}",
        "{{" * 9000,
        "{% if link %}" + "{% elif link %}" * 1000 + "{% endif %}",
    ],
    ids=range(8),
)
def test_what_would_take_long_is_refused(source: str) -> None:
    with pytest.raises(InvalidError):
        checked(source)


@given(st.text("{}%# \n.'|()[]~-+aif", max_size=60) | st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_whatever_is_accepted_can_be_filled_in_and_is_nothing_but_names_and_conditions(source: str) -> None:
    try:
        kept = checked(source)
    except InvalidError:
        return
    filled(kept, {"site": "s", "link": "", "ticket.number": "n"})
    lawful = (nodes.Output, nodes.TemplateData, nodes.Name, nodes.Getattr, nodes.If, nodes.Not, nodes.And, nodes.Or)
    assert all(isinstance(node, lawful) for node in _environment().parse(kept).find_all(nodes.Node))


def test_a_name_counts_as_said_only_where_no_condition_can_hide_it() -> None:
    assert always_says("Here: {{ link }}", "link")
    assert not always_says("{% if site %}{{ link }}{% endif %}", "link")
    assert not always_says("{# {{ link }} #}", "link")
