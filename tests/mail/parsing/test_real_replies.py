"""Real replies of many mail programs, where they lie beside the repository; they are nobody's to copy into it."""

from pathlib import Path
from time import process_time

import pytest

from deskbell.mail.parsing import parse

SHARED = Path(__file__).parents[4] / "shared" / "data" / "mail"

pytestmark = pytest.mark.skipif(not SHARED.is_dir(), reason="the real replies in ../shared/data/mail are not here")

STANDARD = sorted((SHARED / "talon" / "standard_replies").glob("*.eml"))
HTML = sorted((SHARED / "talon" / "html_replies").glob("*.html"))
BODIES = sorted((SHARED / "email_reply_parser" / "emails").glob("*.txt"))
WITHOUT_BLANK_LINES = {"ms_outlook_2010"}  # its paragraphs stand line beneath line, nothing in it says otherwise


@pytest.mark.parametrize("path", STANDARD, ids=lambda path: path.stem)
def test_the_new_text_of_a_standard_reply_is_found(path: Path) -> None:
    expected = path.with_name(f"{path.stem}_reply_text")
    assert parse(path.read_bytes()).new_text == (expected.read_text().strip() if expected.exists() else "Hello")


@pytest.mark.parametrize("path", HTML, ids=lambda path: path.stem)
def test_the_new_text_of_an_html_reply_is_found(path: Path) -> None:
    new = parse(b"Content-Type: text/html; charset=utf-8\n\n" + path.read_bytes()).new_text
    expected = "Hi. I am fine.\n\nThanks,\nAlex"
    assert new == (expected.replace("\n\n", "\n") if path.stem in WITHOUT_BLANK_LINES else expected)


# What email_reply_parser shows of its bodies: where that begins and ends.
VISIBLE = {
    "correct_sig": ("this is an email", "a correct -- signature."),
    "email_1_1": ("Hi folks", "I am currently using the Java HTTP API."),
    "email_1_2": ("Hi,\nOn Tue, 2011-03-01", 'delete them all individually."'),
    "email_1_3": ("Oh thanks.", "Having the function would be great."),
    "email_1_4": ("Awesome!", "I haven't had another problem with it."),
    "email_1_5": ("One: Here's what", "It goes on and on\nfor a while."),
    "email_1_6": ("I get proper", "Sent from a magnificent torch of pixels"),
    "email_1_7": (":+1:", ":+1:"),
    "email_1_8": ("On Tue, Apr 29", "and under this."),
    "email_2_1": ("Outlook with a reply", "Outlook with a reply"),
    "email_2_2": ("Outlook with a reply", "directly above line"),
    "email_2_3": ("Outlook with a reply", "directly above line"),
    "email_BlackBerry": ("Here is another email", "Here is another email"),
    "email_bullets": ("test 2", "retain this formatting\n\n\n   - how about bullets\n   - and another"),
    "email_iPhone": ("Here is another email", "Here is another email"),
    "email_long_quote": ("Hi folks", "I am currently using the Java HTTP API."),
    "email_multi_word_sent_from_my_mobile_device": ("Here is another email", "Here is another email"),
    "email_one_is_not_on": ("Thank, this is", "Locally (on development), when I run..."),
    "email_sent_from_my_not_signature": ("Here is another email", "easier then my mobile phone."),
    "email_sig_delimiter_in_middle_of_line": ("Hi there!", "this is not a signature.\n\nkthxbai"),
    "greedy_on": ("On your remote host", "the tunnel is not working."),
    "pathological": ("I think you're", "as soon as I\nget back to a computer."),
}


@pytest.mark.parametrize("path", BODIES, ids=lambda path: path.stem)
def test_of_a_real_body_what_is_visible_is_new_and_found_in_less_than_a_second(path: Path) -> None:
    begun = process_time()
    mail = parse(b"Content-Type: text/plain; charset=utf-8\n\n" + path.read_bytes())
    assert process_time() - begun < 1
    beginning, ending = VISIBLE[path.stem]
    assert mail.new_text.startswith(beginning)
    assert mail.new_text.endswith(ending)
    assert sorted(f"{mail.new_text}\n{mail.folded_text}".split()) == sorted(mail.text.split())
