"""What undo will need: every operation can be taken back from its entries alone, by plain SQL."""

# ruff: noqa: S608 - the names in the statements are those of tables and columns

import json
from typing import Any

from hypothesis import example, given, settings
from sqlalchemy import Table

from deskbell.audit.reversal import key_of
from deskbell.audit.triggers import is_audited
from deskbell.kernel.address import Address
from deskbell.migrations.metadata import domain_tables, target_metadata
from tests.audit.world import STEPS, Step, World, unrestricted

LAST = "select max(id) from audit_logs"
ENTRIES = "select * from audit_logs where id > {} and id <= {} order by id desc"


def take_back(world: World, after: int, until: int) -> None:
    """Reverse some entries, newest first."""
    for entry in world.as_owner(ENTRIES.format(after, until)):
        table = target_metadata.tables[entry.table_name]
        world.as_owner(*reversing(table, entry))


def reversing(table: Table, entry: Any) -> list[str]:
    """The statements that reverse one entry."""
    keys = [column.name for column in table.primary_key]
    here = " and ".join(f"{name} = {value}" for name, value in zip(keys, key_of(table, entry), strict=True))
    changes = entry.changes or {}
    match entry.action:
        case "CREATE":
            return [f"delete from {table.name} where {here}"]
        case "UPDATE":
            return updating(table, {name: old for name, (old, _) in changes.items() if name not in keys}, here)
        case _:
            row = f"select {', '.join(changes)} from {populated(table, changes)}"
            return [f"insert into {table.name} ({', '.join(changes)}) overriding system value {row}"]


def updating(table: Table, old: dict[str, Any], here: str) -> list[str]:
    """Statements that set columns, and leave all others as they are.

    Two, as a trigger counts reopenings and dates the resolution where the status moves: the first moves it, the second
    finds it moved and sets what the trigger changed.
    """
    change = f"update {table.name} set ({', '.join(old)}) = (select {', '.join(old)} from {populated(table, old)})"
    if "status" not in old:
        return [f"{change} where {here}"]
    kept = [name for name in ("resolved_at", "reopen_count") if name not in old]
    before = f"create temp table before as select * from {table.name} where {here}"
    back = "".join(f", {name} = (select {name} from before)" for name in kept)
    return [before, f"{change} where {here}", f"{change}{back} where {here}", "drop table before"]


def populated(table: Table, values: dict[str, Any]) -> str:
    """A row of the table's types, from JSON."""
    written = json.dumps(values).replace("'", "''").replace(":", "\\:")
    return f"jsonb_populate_record(null\\:\\:{table.name}, '{written}')"


@given(STEPS)
@settings(max_examples=15)
@example(
    [("reply", 0, 3), ("statuses", 0, 0), ("statuses", 1, 0), ("remove comments", 0, 0), ("remove comments", 1, 0)]
)
@example([("put tag", 0, 0), ("tag", 0, 0), ("date tags back", 0, 0), ("date tags back", 1, 0), ("remove a tag", 0, 0)])
@example([("join", 0, 0), ("join", 0, 1), ("joined before", 0, 0), ("leave", 0, 0)])
def test_whatever_happened_can_be_taken_back_step_by_step(clone_address: Address, steps: list[Step]) -> None:
    with unrestricted(clone_address) as database:
        world = World(database)
        seen = [(world.as_owner(LAST)[0][0], world.rows())]
        for step in steps:
            world.run(step)
            seen.append((world.as_owner(LAST)[0][0], world.rows()))
        while len(seen) > 1:
            until, _ = seen.pop()
            after, rows = seen[-1]
            take_back(world, after, until)
            assert world.rows() == rows


def test_only_secrets_megabytes_and_what_triggers_keep_cannot_be_taken_back() -> None:
    """Whoever adds to these takes something out of what can be undone, and should have to say so here as well."""
    columns = [
        column
        for name in domain_tables()
        if is_audited(target_metadata.tables[name])
        for column in target_metadata.tables[name].columns
        if "audit" in column.info and (column.name, column.info["audit"]) != ("updated_at", "derived")
    ]
    assert {str(column): column.info["audit"] for column in columns} == {
        "tickets.version": "derived",
        "users.password_hash": "secret",
        "api_tokens.token_hash": "secret",
        "login_sessions.token_hash": "secret",
        "inbound_messages.raw": "large",
        "mailboxes.dkim_key": "secret",
        "mailboxes.imap_password": "secret",
        "mailboxes.oauth_refresh": "secret",
        "mailboxes.oauth_secret": "secret",
        "mailboxes.smtp_password": "secret",
    }
