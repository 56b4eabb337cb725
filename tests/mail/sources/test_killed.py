"""A desk that is killed while mail flows: a short form of `python -m bench killing`, which kills it 200 times."""

from bench.killing import Options, count
from tests.web.api.conftest import short_log

__all__ = ["short_log"]  # a fixture


def test_each_message_becomes_one_comment_however_often_the_desk_is_killed() -> None:
    """These dice kill both processes while they start and while they work, and PostgreSQL."""
    found = count(Options(kills=6, seed=2, postgres=True, ways=("lmtp", "smtp", "http", "pipe")))
    assert set(found.kills) == {"the web server", "the worker", "PostgreSQL"}
    assert found.sent >= len(found.by_way), "mail came by every way"
    assert (found.lost, found.doubled, found.strange) == ((), (), ())
    assert (found.unsent, found.overdone) == ((), ())
