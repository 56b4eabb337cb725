"""Routes parse, call once and present."""

from collections.abc import Callable

Lint = Callable[[str, str, str], list[int]]


def test_a_query_in_a_route_is_found(lint: Lint) -> None:
    code = """
    from sqlalchemy import select
    @router.get("/tickets")
    async def tickets(session):
        await session.run_sync(newest, 50)
        rows = await session.execute(select(Ticket))
        return rows
    """
    assert lint("thin-routes", "deskbell/web/api/tickets.py", code) == [5, 5]


def test_a_long_route_is_found(lint: Lint) -> None:
    long = "@router.post('/x')\ndef x():\n" + "    a = 1\n" * 13
    assert lint("thin-routes", "deskbell/web/api/x.py", long) == [2]


def test_a_thin_route_and_a_helper_beside_it_pass(lint: Lint) -> None:
    code = """
    @router.get("/tickets/{number}")
    async def ticket(session, number):
        '''One ticket.'''
        return present(await session.run_sync(find, number))

    def helper(session):
        return session.scalars(statement)
    """
    assert lint("thin-routes", "deskbell/web/api/tickets.py", code) == []


def test_other_rooms_may_query(lint: Lint) -> None:
    code = "@events.get('x')\ndef x(session):\n    session.scalars(select(1))"
    assert lint("thin-routes", "deskbell/tickets/subscribers.py", code) == []
