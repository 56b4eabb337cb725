"""PostgreSQL's extract has a function of its own."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_func_extract_is_found(lint: Lint) -> None:
    code = """
    import sqlalchemy as sa
    from sqlalchemy import func
    func.extract("epoch", x)
    sa.func.extract("epoch", x)
    """
    assert lint("no-func-extract", "deskbell/reports/queries.py", code) == [3, 4]


def test_the_function_extract_passes(lint: Lint) -> None:
    code = "from sqlalchemy import extract, func\nextract('epoch', func.now())"
    assert lint("no-func-extract", "deskbell/reports/queries.py", code) == []
