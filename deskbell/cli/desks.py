"""Settings from the environment, the open desk, and who acts at the command line."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from deskbell.cli.commands import invocation
from deskbell.kernel.errors import ForbiddenError, InvalidError, NotFoundError, SetupError

if TYPE_CHECKING:
    from pydantic import ValidationError

    from deskbell.audit.models import AccessKind
    from deskbell.kernel.actor import Actor
    from deskbell.kernel.settings import Settings
    from deskbell.runtime import Desk

_NEW_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")


def load_settings() -> "Settings":
    """Read the settings. Raises InvalidError that names the variable."""
    from pydantic import ValidationError

    from deskbell.kernel.settings import Settings

    chosen = invocation().data_dir
    try:
        settings = Settings() if chosen is None else Settings(data_dir=chosen)
    except ValidationError as error:
        raise InvalidError(_wrong_setting(error)) from error
    return settings.model_copy(update={"data_dir": settings.data_dir.expanduser().absolute()})


def _wrong_setting(error: "ValidationError") -> str:
    wrong = error.errors(include_url=False, include_input=False)[0]
    name = str(wrong["loc"][0]).upper() if wrong["loc"] else ""
    group = error.title.removesuffix("Settings")
    prefix = {"Settings": "DESKBELL_"}.get(error.title, f"DESKBELL_{_NEW_WORD.sub('_', group).upper()}_")
    reason = wrong["msg"].removeprefix("Input should be ").rstrip(".")
    return f"The setting {prefix}{name} is wrong: it should be {reason}. Correct it in the environment."


@contextmanager
def open_desk(*, reading: bool = False, migrating: bool = False, upgrade: bool = False) -> Iterator["Desk"]:
    """Open the desk with its schema up to date.

    When only `reading`, a schema that is up to date is left alone, so that a read-only database will do; when
    `migrating`, any schema will do.
    """
    settings = load_settings()
    _make_folder(settings.data_dir)
    from deskbell import runtime

    with runtime.open_desk(settings) as desk:
        if not (migrating or (reading and desk.migrator.status().is_current)):
            runtime.ensure_schema(desk, upgrade=upgrade)
        with _explaining(desk):
            yield desk


@contextmanager
def _explaining(desk: "Desk") -> Iterator[None]:
    """Show the plans of the queries on standard error, where that was asked for."""
    if not invocation().explain:
        yield
        return
    from deskbell.cli.console import note
    from deskbell.kernel.explaining import explaining

    def tell(statement: str, plan: list[str]) -> None:
        note(" ".join(statement.split()), "bold")
        for line in plan:
            note(f"    {line}", "dim")

    with ExitStack() as stack:
        for database in (desk.database, *desk.database.standbys):
            stack.enter_context(explaining(database.engine, tell))
        yield


def _make_folder(data_dir: Path) -> None:
    try:
        data_dir.mkdir(
            mode=0o711, parents=True, exist_ok=True
        )  # PostgreSQL's user, where that is another, passes through
    except OSError as error:
        reason = "a file is in its place" if isinstance(error, FileExistsError | NotADirectoryError) else error.strerror
        raise SetupError(
            f"The data directory {data_dir} cannot be made: {reason}. "
            "Choose another with --data-dir or DESKBELL_DATA_DIR."
        ) from error


def note_reading(
    desk: "Desk",
    who: "Actor",
    kind: "AccessKind",
    *,
    number: str | None = None,
    record_id: int | None = None,
    query: str = "",
    shown: int | None = None,
) -> None:
    """Note in the access log what this command shows; it is written before the desk is closed."""
    if desk.access is None:
        return
    from deskbell.audit.recording import Reading

    told = (number, record_id, query, shown, _here())
    at = desk.access.clock.now()
    desk.access.add(Reading(at, who.user_id, None, who.kind.value, who.channel.value, who.act, kind.value, *told))


def _here() -> str:
    """Name the user of this machine, and the machine."""
    import getpass
    import socket

    try:
        return f"{getpass.getuser()}@{socket.gethostname()}"
    except (OSError, KeyError):  # a user without a name
        return f"@{socket.gethostname()}"


def system() -> "Actor":
    """Return the system, acting through this command."""
    from deskbell.kernel.actor import Actor, Channel

    return Actor.system(Channel.CLI, act=invocation().act)


def actor(desk: "Desk", email: str) -> "Actor":
    """Return whom `--as` or DESKBELL_DEFAULT_ACTOR names, or the system. Raises NotFoundError, ForbiddenError."""
    from deskbell.accounts.queries import get_user_by_email
    from deskbell.kernel.actor import Actor, ActorKind, Channel

    chosen = email or desk.settings.default_actor
    if not chosen:
        return system()
    with desk.database.transaction(system()) as session:
        try:
            user = get_user_by_email(session, chosen)
        except NotFoundError as error:
            raise NotFoundError(f"{error.message} `deskbell user list` shows who there is.") from error
    if not user.is_active:
        raise ForbiddenError(f"{user.email} is not active. `deskbell user activate {user.email}` changes that.")
    return Actor(ActorKind(user.role.value), user.id, Channel.CLI, invocation().act, time_zone=user.time_zone)
