"""The transaction belongs to the edge."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_a_commit_in_an_action_is_found(lint: Lint) -> None:
    code = """
    def reply(session):
        session.flush()
        session.commit()
    """
    assert lint("edges-commit", "deskbell/tickets/actions.py", code) == [3]


def test_a_rollback_that_is_passed_on_is_found(lint: Lint) -> None:
    assert lint("edges-commit", "deskbell/mail/jobs.py", "on_error(session.rollback)") == [1]


def test_an_edge_may_commit(lint: Lint) -> None:
    for edge in ("deskbell/kernel/database.py", "deskbell/worker/run.py", "deskbell/web/dependencies.py"):
        assert lint("edges-commit", edge, "session.commit()") == []


def test_a_line_may_be_exempt_with_a_reason(lint: Lint) -> None:
    reasoned = "connection.commit()  # allow: edges-commit (a connection of its own, not the request's)"
    assert lint("edges-commit", "deskbell/kernel/embedded.py", reasoned) == []
    assert lint("edges-commit", "deskbell/kernel/embedded.py", "connection.commit()  # allow: edges-commit") == [1]
    assert lint("edges-commit", "deskbell/kernel/embedded.py", reasoned.replace("edges-commit", "one-clock")) == [1]
