"""The reference of the query language names all that there is, and each of its examples means something."""

import re
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from deskbell.accounts.models import Role
from deskbell.kernel.database import Database
from deskbell.kernel.fields import Choice, Flag
from deskbell.search.completion import complete
from deskbell.search.language import MAXIMUM_LENGTH, MAXIMUM_NESTING, MAXIMUM_TERMS
from deskbell.search.queries import compile_query
from deskbell.testing.factories import SYSTEM, Factory, actor
from deskbell.tickets.models import Ticket
from deskbell.wiring import FIELDS

REFERENCE = (Path(__file__).parents[2] / "docs" / "reference" / "query-language.md").read_text()
ROWS = {
    cells[0]: cells[1:]
    for line in REFERENCE.splitlines()
    if line.startswith("| `") and (cells := [cell.strip() for cell in line.strip("|").split("|")])
}
FLAGS = {"is": FIELDS.is_, "has": FIELDS.has}
CODE = re.compile(r"`([^`]+)`")
EXAMPLES = sorted(
    {
        example
        for first, others in ROWS.items()
        for example in CODE.findall(others[0] if first.strip("`").removesuffix(":") in FIELDS.fields else first)
    }
)


def marked(text: str, staff_only: bool) -> str:  # noqa: FBT001 - as it is declared
    return f"{text} (desk only)" if staff_only else text


@pytest.mark.parametrize("name", FIELDS.fields)
def test_each_field_is_in_the_reference(name: str) -> None:
    field = FIELDS.fields[name]
    assert ROWS[f"`{name}:`"] == [
        ", ".join(f"`{example}`" for example in field.examples),
        marked(field.help, field.staff_only),
    ]


@pytest.mark.parametrize(
    ("name", "flag"),
    [(f"{kind}:{name}", flag) for kind, flags in FLAGS.items() for name, flag in flags.items()],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_each_flag_is_in_the_reference(name: str, flag: Flag) -> None:
    assert ROWS[f"`{name}`"] == [marked(flag.help, flag.staff_only)]


@pytest.mark.parametrize("name", FIELDS.sorts)
def test_each_sort_is_in_the_reference(name: str) -> None:
    assert ROWS[f"`sort:{name}`"][0] == FIELDS.sorts[name].help


def test_values_and_limits_are_in_the_reference() -> None:
    for field in FIELDS.fields.values():
        if isinstance(field, Choice):
            assert all(f"`{value}`" in REFERENCE for value in field.values)
    assert f"{MAXIMUM_LENGTH:,}\ncharacters, {MAXIMUM_TERMS} terms" in REFERENCE
    assert f"and {MAXIMUM_NESTING} brackets or negations" in REFERENCE


@pytest.mark.parametrize("example", EXAMPLES)
def test_each_example_can_be_searched_for(database: Database, factory: Factory, example: str) -> None:
    with database.transaction(actor(factory.user(Role.AGENT))) as session:
        session.scalars(compile_query(session, example).with_only_columns(Ticket.id)).all()


@pytest.mark.anyio
async def test_all_examples_can_be_searched_for_on_the_other_driver_too(async_database: Database) -> None:
    def search(session: Session) -> None:
        for example in EXAMPLES:
            session.scalars(compile_query(session, example).with_only_columns(Ticket.id)).all()
        for text in ("tag:bil", "assignee:x", "requester:", 'organization:"A b'):
            complete(session, text, len(text))

    async with async_database.async_transaction(SYSTEM) as session:
        await session.run_sync(search)
