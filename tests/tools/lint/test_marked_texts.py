"""Pages say nothing that is not translated."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]

PAGE = "deskbell/web/workspace/new_ticket.py"


def test_a_sentence_that_is_not_marked_is_found(lint: Lint) -> None:
    code = """
    raise InvalidError("A ticket needs a title.", field="title")
    TITLES = {"a": "Change the status"}
    wrong = f"At most {most} files go with one message."
    """
    assert sorted(set(lint("marked-texts", PAGE, code))) == [1, 2, 3]


def test_marked_texts_docstrings_and_names_are_left_alone(lint: Lint) -> None:
    code = '''
    """What an agent opens for somebody."""
    raise InvalidError(_("A ticket needs a title."), field="title")
    LABEL = marked("Change the status")
    """Said of all that are chosen."""
    response.headers["Location"] = "/tickets"
    _("At most %(most)s files go with one message.") % {"most": most}
    '''
    assert lint("marked-texts", PAGE, code) == []


def test_the_domain_says_what_is_wrong_in_english(lint: Lint) -> None:
    assert lint("marked-texts", "deskbell/tickets/errors.py", 'X = "There is no such ticket."') == []
