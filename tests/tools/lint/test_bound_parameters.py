"""SQL text is a constant."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_assembled_sql_is_found(lint: Lint) -> None:
    code = """
    from sqlalchemy import text as sql
    sql(f"select * from tickets where id = {id}")
    sql("select * from " + table)
    sql("select %s" % value)
    sql("select {}".format(value))
    connection.exec_driver_sql(f"set role {role}")
    """
    assert lint("bound-parameters", "deskbell/tickets/queries.py", code) == [2, 3, 4, 5, 6]


def test_constants_pass(lint: Lint) -> None:
    code = """
    from sqlalchemy import text
    text("select * from tickets where id = :id")
    text(f"select 1")
    text("select " + "1")
    text(f"set role {OWNER}")
    text("set role " + OWNER + f"; select {ONE}")
    text(TEMPLATE.format(holder="session"))
    """
    assert lint("bound-parameters", "deskbell/tickets/queries.py", code) == []


def test_another_function_named_text_is_not_meant(lint: Lint) -> None:
    assert lint("bound-parameters", "deskbell/web/pages.py", "from rich import text\ntext(f'{x}')") == []
