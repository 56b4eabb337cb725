"""Enum columns store values."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_an_enum_column_that_stores_names_is_found(lint: Lint) -> None:
    code = """
    import sqlalchemy as sa
    from sqlalchemy import Enum as Choice
    from sqlalchemy.dialects.postgresql import ENUM
    Choice(TicketStatus)
    sa.Enum(TicketStatus, name="status")
    ENUM(TicketStatus)
    """
    assert lint("enum-values", "deskbell/tickets/models.py", code) == [4, 5, 6]


def test_values_strings_and_python_enums_pass(lint: Lint) -> None:
    code = """
    import enum
    import sqlalchemy as sa
    sa.Enum(TicketStatus, values_callable=values)
    sa.Enum("open", "closed", name="status")
    enum.Enum(NAME, "open closed")
    """
    assert lint("enum-values", "deskbell/tickets/models.py", code) == []
