"""Who may do what with the rows of a table: declared beside the model, rendered as GRANTs and row policies.

There is a database role for each kind of actor and a policy for each role and command, so that an agent's plan
carries no
condition at all and a customer's only indexable ones. What is not allowed here is refused by PostgreSQL itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Computed, Identity, Table

Command = Literal["select", "insert", "update", "delete"]

OWNER = "deskbell_owner"
APPLICATION = "deskbell_app"
READ_ONLY = "deskbell_readonly"
ACTOR_ROLES = ("deskbell_customer", "deskbell_agent", "deskbell_admin", "deskbell_system")
OWN_ROWS = "user_id = (select deskbell_actor())"
"""The condition for rows that belong to whoever acts."""
COMMANDS: tuple[Command, ...] = ("select", "insert", "update", "delete")


@dataclass(frozen=True, slots=True)
class Allow:
    """Allow `roles` (space-separated, without the prefix) the `commands` on the rows where `where` holds.

    `check` constrains the row as it will be (default: `where`). `columns` limits the command to these columns, `but`
    excludes some; a role that may not select a column cannot filter on it either.
    """

    roles: str
    commands: str
    where: str = "true"
    check: str | None = None
    columns: tuple[str, ...] = ()
    but: tuple[str, ...] = ()

    def role_names(self) -> Iterator[str]:
        """Yield the database roles."""
        return (f"deskbell_{role}" for role in self.roles.split())

    def column_list(self, table: Table, command: str) -> str:
        """Return ` (a, b)` where the grant is limited to some columns, else nothing."""
        names = [c.name for c in table.columns if c.name not in self.but and _writable(c, command)]
        if self.columns:
            names = [name for name in names if name in self.columns]
        limited = bool(self.columns or self.but) and command != "delete"
        return f" ({', '.join(names)})" if limited else ""


def _writable(column: object, command: str) -> bool:
    computed = getattr(column, "computed", None)
    identity = getattr(column, "identity", None)
    return command == "select" or not (isinstance(computed, Computed) or isinstance(identity, Identity))


def access_of(table: Table) -> tuple[Allow, ...]:
    """Return what the table declares; a table that declares nothing is a mistake, and a KeyError."""
    rules: tuple[Allow, ...] = table.info["access"]
    return (*rules, Allow("owner", "select insert update delete"))


def access_ddl(table: Table) -> Iterator[str]:
    """Yield the statements that give `table` exactly the declared access."""
    yield f"alter table {table.name} enable row level security"
    yield f"alter table {table.name} force row level security"
    yield f"revoke all on {table.name} from public, {', '.join((APPLICATION, READ_ONLY, *ACTOR_ROLES))}"
    for rule in access_of(table):
        for command in rule.commands.split():
            for role in rule.role_names():
                if role != OWNER:  # owning implies the privileges
                    yield f"grant {command}{rule.column_list(table, command)} on {table.name} to {role}"
                yield _policy(table, rule, command, role)


def _policy(table: Table, rule: Allow, command: str, role: str) -> str:
    check = rule.check or rule.where
    clauses = {
        "select": f"using ({rule.where})",
        "insert": f"with check ({check})",
        "update": f"using ({rule.where}) with check ({check})",
        "delete": f"using ({rule.where})",
    }
    name = f"{role.removeprefix('deskbell_')}_{command}"
    return f"create policy {name} on {table.name} for {command} to {role} {clauses[command]}"
