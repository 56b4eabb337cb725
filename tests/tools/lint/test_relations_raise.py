"""Relations load nothing by themselves."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_a_relation_that_loads_by_itself_is_found(lint: Lint) -> None:
    code = """
    from sqlalchemy import orm
    from sqlalchemy.orm import relationship
    comments = relationship(back_populates="ticket")
    creator = relationship(lazy="selectin")
    assignee = orm.relationship(lazy="raise", backref=orm.backref("tickets"))
    """
    assert lint("relations-raise", "deskbell/tickets/models.py", code) == [3, 4, 5]


def test_a_relation_that_raises_passes(lint: Lint) -> None:
    code = 'from sqlalchemy.orm import relationship\ncomments = relationship(back_populates="ticket", lazy="raise")'
    assert lint("relations-raise", "deskbell/tickets/models.py", code) == []
