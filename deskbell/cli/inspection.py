"""What a database is like, and how it differs from what this program expects."""

from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg.rows import dict_row

from deskbell.audit.triggers import is_audited
from deskbell.kernel.address import Address
from deskbell.kernel.connecting import connect
from deskbell.kernel.errors import SetupError
from deskbell.kernel.replica_states import ReplicaState
from deskbell.kernel.roles import unreachable
from deskbell.kernel.tls import weakness
from deskbell.migrations.metadata import domain_tables, target_metadata
from deskbell.runtime import Desk

_EVENTS = ("insert", "update", "delete")
_TABLES = """
select relname, relrowsecurity and relforcerowsecurity as secured
  from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace
"""
_TRIGGERS = """
select c.relname, t.tgname
  from pg_trigger t join pg_class c on c.oid = t.tgrelid where not t.tgisinternal and t.tgenabled <> 'D'
"""
_SERVER = """
select current_setting('server_version') as server_version, current_database() as name,
       pg_size_pretty(pg_database_size(current_database())) as size,
       (select version from pg_stat_ssl where pid = pg_backend_pid() and ssl) as tls,
       (select array_agg(rolname::text order by rolname) from pg_roles where rolname like 'deskbell%') as roles
"""


def facts(desk: Desk) -> dict[str, Any]:
    """Return what `db status` shows."""
    status = desk.migrator.status()
    [server] = _ask(desk, _SERVER)
    return {
        "database": str(desk.admin),
        "embedded": desk.settings.database.url is None,
        "server": f"PostgreSQL {server['server_version']}",
        "tls": _tls(desk.admin, server["tls"]),
        **({"tls_warning": weak} if (weak := weakness(desk.admin)) else {}),
        "size": server["size"],
        "revision": status.current,
        "newest": status.head,
        "pending": list(status.pending),
        "roles": list(server["roles"]),
        "cache": _cache(desk),
    }


def _tls(address: Address, version: str | None) -> str:
    """Say what protects the way to the server, and how sure we are of who it is."""
    mode = dict(address.parameters).get("sslmode", "prefer")
    return "none" if version is None else f"{version}, {mode}"


def replica_line(state: ReplicaState) -> str:
    """Say how a replica is."""
    if state.lag_bytes is None:
        return f"{state.name}: {state.problem}"
    lag = f"{state.lag_bytes:,} bytes, {state.lag_seconds:,.3f} s behind" if state.lag_bytes else "up to date"
    return f"{state.name}: {lag}, at {state.replayed}" + (f"; not used, as it {state.problem}" if state.problem else "")


def _cache(desk: Desk) -> str | None:
    if desk.resources.cache is None:
        return None
    state = desk.resources.cache.state()
    return f"{state.address} {f'fails: {state.problem}' if state.problem else 'answers'}"


def differences(desk: Desk) -> list[str]:
    """Return in a line each what differs."""
    status = desk.migrator.status()
    if not status.is_current:
        return [f"The schema is at {status.current or 'nothing'}, not at {status.head}: run `deskbell db upgrade`."]
    tables = {row["relname"]: row["secured"] for row in _ask(desk, _TABLES)}
    triggers = {(row["relname"], row["tgname"]) for row in _ask(desk, _TRIGGERS)}
    return [
        *(f"Models and schema differ: {_worded(each)}." for each in desk.migrator.differences()),
        *_unsecured(tables),
        *_unaudited(triggers),
    ]


def _unsecured(tables: dict[str, bool]) -> Iterator[str]:
    for name in domain_tables():
        if not tables.get(name, True):
            remedy = f"alter table {name} enable row level security, force row level security"
            yield f"The table {name} has no row security: `{remedy}`."


def _unaudited(triggers: set[tuple[str, str]]) -> Iterator[str]:
    for name in domain_tables():
        if is_audited(target_metadata.tables[name]):
            missing = [event for event in _EVENTS if (name, f"audit_{event}") not in triggers]
            if missing:
                events = ", ".join(missing)
                yield f"Changes of the table {name} are not recorded ({events}): its audit triggers are missing or off."


def _worded(difference: Any) -> str:  # noqa: ANN401 - Alembic's nested tuples
    if isinstance(difference, list):
        return "; ".join(_worded(each) for each in difference)
    kind, *subjects = difference
    names = (getattr(subject, "name", None) or (subject if isinstance(subject, str) else None) for subject in subjects)
    return f"{kind.replace('_', ' ')} {' '.join(name for name in names if name)}".strip()


def _ask(desk: Desk, question: str) -> list[dict[str, Any]]:
    try:
        with connect(desk.admin, row_factory=dict_row) as connection:
            return connection.execute(question.encode()).fetchall()
    except psycopg.OperationalError as error:
        raise SetupError(unreachable(desk.admin, error)) from error
