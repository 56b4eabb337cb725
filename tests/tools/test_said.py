"""The messages of errors, found in the source: in all the ways that they are written, and none is overlooked."""

import ast
from pathlib import Path

import pytest

from tools.said import Said, is_shown, messages
from tools.sources import read_sources

PAGES = ("workspace", "portal", "admin", "pages")
ELSEWHERE = {
    ("mail/outbound/wording.py", "f'{words}.'"): "what Jinja says is wrong with a letter",
    ("mail/sources/comparing.py", "reason"): "the message of another error, by way of a table",
}
"""Messages whose words are not there, and whose they are."""

ERRORS = '''
class DeskbellError(Exception):
    """Something went wrong."""
    def __init__(self, message=None, /): ...
class GoneError(DeskbellError):
    """It is gone.

    More of it."""
class SetupError(DeskbellError):
    """Not for people."""
'''


def said(folder: Path, source: str) -> list[str]:
    """The templates of the messages in a module of a slice."""
    package = folder / "deskbell"
    (package / "kernel").mkdir(parents=True)
    (package / "tickets").mkdir()
    (package / "kernel" / "errors.py").write_text(ERRORS, encoding="utf-8")
    head = "from deskbell.kernel.errors import DeskbellError, GoneError, SetupError\n"
    (package / "tickets" / "some.py").write_text(head + source, encoding="utf-8")
    return [each for one in messages(package) if one.path.name == "some.py" for each in one.templates]


@pytest.mark.parametrize(
    ("source", "templates"),
    [
        ('raise GoneError("It is " "not here.")', ["It is not here."]),
        ('def f(n): raise GoneError(f"There is no {n}.")', ["There is no %(n)s."]),
        ('def f(t): raise GoneError(f"{t.number:>5} is {t.of.number!r} now.")', ["%(number)s is %(number_2)s now."]),
        ('def f(a): raise GoneError(f"{a} is {a} here.")', ["%(a)s is %(a)s here."]),
        ('def f(a, b): raise GoneError(f"{a}{b} is 100% wrong.")', ["%(a_b)s is 100%% wrong."]),
        ('MOST = 3\nraise GoneError(f"At most {MOST} fit.")', ["At most %(most)s fit."]),
        ('LEFT = "It has left."\nraise GoneError(LEFT)', ["It has left."]),
        ('OFTEN = "Only {} times."\ndef f(n): raise GoneError(OFTEN.format(n))', ["Only %(n)s times."]),
        ('def f(a):\n m = "One is." if a else "None are."\n raise GoneError(m)', ["One is.", "None are."]),
        ('def f(a): raise GoneError(f"It is{\' not\' if a else \'\'} so.")', ["It is not so.", "It is so."]),
        ('W = {"a": "It is a.", "b": "It is b."}\ndef f(x): raise GoneError(W[x])', ["It is a.", "It is b."]),
        ('def g(x): return f" Or {x} so?" if x else ""\ndef f(x): raise GoneError(f"It is.{g(x)}")',
         ["It is. Or %(x)s so?", "It is."]),
        ('def f(why): raise GoneError(f"No: {why}.")\ndef g(): f("it is old")', ["No: it is old."]),
        ('try: ...\nexcept GoneError as error: raise GoneError(f"Line 1: {error.message}")', ["Line 1: %(message)s"]),
        ("try: ...\nexcept GoneError as error: raise GoneError(error.message)", []),
        ('class NoError(GoneError):\n """It is no more.\n\n No message."""', ["It is no more."]),
        ('CONSTRAINT_ERRORS = {"uq": lambda: GoneError("It is taken.")}', ["It is taken."]),
        ('raise SetupError("It is not set up.")', []),
        ('raise GoneError(_("It is translated."))', []),
        ('raise ValueError("It is a mistake.")', []),
        ('def f(m): m.reason, m.n = "It is a robot.", 1', ["It is a robot."]),
        ('class Verdict:\n state: int\n reason: str\ndef f(): return Verdict(1, "It is spam.")', ["It is spam."]),
    ],
)  # fmt: skip
def test_a_message_is_found_however_it_is_written(tmp_path: Path, source: str, templates: list[str]) -> None:
    assert said(tmp_path, source) == templates


@pytest.fixture(scope="module")
def everything() -> list[Said]:
    return list(messages())


def test_every_error_that_a_page_may_show_says_what_the_catalogs_know(everything: list[Said]) -> None:
    """Write a message as a text, an f-string or a constant; what cannot be followed from there is found here."""
    unknown = {
        (each.path.relative_to("deskbell").as_posix(), each.source)
        for each in everything
        if each.is_error and each.unknown
    }
    assert unknown == ELSEWHERE.keys()


def test_a_message_has_not_so_many_forms_that_nobody_could_translate_them(everything: list[Said]) -> None:
    assert [each.source for each in everything if len(each.templates) > 24] == []


def test_what_is_left_out_is_not_what_pages_call() -> None:
    """A module whose messages only programs are told is not imported by a page."""
    sources = read_sources(Path("deskbell"))
    rooms = tuple(f"deskbell.web.{room}" for room in PAGES)
    pages = [module for module in sources.modules.values() if module.name.startswith(rooms)]
    brought = {(page.name, home, name) for page in pages for name, (home, _) in page.imported.items()}
    called = {
        (page, home)
        for page, home, name in brought
        if home in sources.modules and home.split(".")[1] in {"tickets", "mail", "search", "kernel", "curation"}
        if not is_shown(home) and isinstance(sources.modules[home].functions.get(name), ast.FunctionDef)
    }
    assert called == set()
