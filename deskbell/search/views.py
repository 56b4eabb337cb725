"""Saved views: queries over them and use cases. For the desk alone; row security shows each agent what is theirs.

A person's own views go before those that others share with them.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, cast

from sqlalchemy import BigInteger, Select, case, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session, joinedload

from deskbell.accounts.models import Team, TeamMember
from deskbell.kernel.actor import Actor, ActorKind
from deskbell.kernel.database import actor_of
from deskbell.kernel.errors import ForbiddenError, InvalidError
from deskbell.kernel.ids import checked_id, is_id
from deskbell.kernel.paging import Cursor, Page, SortKey, keyset, page
from deskbell.kernel.text import one_line
from deskbell.search.columns import checked_columns
from deskbell.search.errors import NoSuchViewError
from deskbell.search.finding import Found, find
from deskbell.search.language import Query, QueryError, Value, parse
from deskbell.search.models import SavedView, Sharing
from deskbell.search.queries import prepare

NAME_LENGTH: Final = 100
SORT_LENGTH: Final = 50
_SORT: Final = "sort:"
MOST_VIEWS: Final = 100
"""Of one owner."""
ONLY_THE_DESK: Final = "Only the desk has saved views."


def views() -> Select[SavedView]:
    """Return the views that the actor may see, each with its owner and its team."""
    return select(SavedView).options(joinedload(SavedView.owner), joinedload(SavedView.team))


def views_page(session: Session, *, limit: int = 50, cursor: Cursor | None = None, query: str = "") -> Page[SavedView]:
    """Return a page of the views that the actor sees: their own as they placed them, then those that others share."""
    _require_staff(session)
    order = _own_first(actor_of(session))
    keys = (key.column.label(key.name) for key in order)
    limited = keyset(views().add_columns(*keys), order, limit=limit, cursor=cursor, query=query)
    found = page(session.execute(limited).all(), order, limit=limit, query=query)
    return Page(tuple(row.SavedView for row in found.items), found.next_cursor)


def all_views(session: Session) -> list[SavedView]:
    """Return all views that the actor sees, in the same order."""
    _require_staff(session)
    order = (key.order() for key in _own_first(actor_of(session)))
    return list(session.scalars(views().order_by(*order)))


def _own_first(actor: Actor) -> tuple[SortKey, ...]:
    others = case((SavedView.owner_id == actor.user_id, 0), else_=1).label("others")
    return SortKey(others, nullable=False), SortKey(SavedView.position), SortKey(SavedView.id)


def get_view(session: Session, view_id: int) -> SavedView:
    """Load a view with its owner and team. Raises NoSuchViewError, also for one that is not shared with the actor."""
    _require_staff(session)
    found = session.scalar(views().where(SavedView.id == view_id)) if is_id(view_id) else None
    if found is None:
        raise NoSuchViewError(f"There is no view {view_id}.")
    return found


def may_change(view: SavedView, actor: Actor) -> bool:
    """Whether the actor may change a view that they see: their own, and administrators all."""
    return view.owner_id == actor.user_id or _is_admin(actor)


def run_view(
    session: Session, view_id: int, *, limit: int = 50, cursor: Cursor | None = None, scope: str = ""
) -> Found:
    """Return a page of what a view finds; last changed first where neither its query nor its sort says otherwise.

    Raises NoSuchViewError, QueryError for a query that cannot be read any more, InvalidError for a foreign cursor.
    """
    view = get_view(session, view_id)
    wanted = query_of(view.query, view.sort)
    return find(session, wanted, limit=limit, cursor=cursor, scope=f"{scope} view {view_id}", widen=False)


def query_of(query: str, sort: str) -> Query:
    """Return a query, sorted by `sort`, which is as after `sort:`. Raises QueryError, InvalidError for two sorts."""
    read, order = parse(query), _order(sort)
    if read.sort and order:
        raise InvalidError("The query says how it is sorted: leave the sort empty, or take it out there.", field="sort")
    return replace(read, sort=read.sort or order)


def create_view(
    session: Session,
    *,
    name: str,
    query: str = "",
    columns: Sequence[str] = (),
    sort: str = "",
    shared_with: Sharing = Sharing.NOBODY,
    team_id: int | None = None,
) -> SavedView:
    """Save a query of the actor's, after their other views.

    Raises QueryError with the position in the query, InvalidError for other fields, ForbiddenError for a team that the
    actor is not in.
    """
    owner_id = _require_person(session)
    view = SavedView(owner_id=owner_id, position=_last_place(session, owner_id), query="", sort="", columns=[])
    _set(session, view, {"name": name, "query": query, "columns": columns, "sort": sort})
    _share(session, view, shared_with, team_id)
    session.add(view)
    session.flush()  # for the id
    return get_view(session, view.id)


def change_view(session: Session, view_id: int, changes: Mapping[str, Any]) -> SavedView:
    """Change fields of a view: name, query, columns, sort, shared_with, team_id. The rest stays.

    Raises as `create_view` does, and ForbiddenError for another one's view.
    """
    view = _own(session, view_id)
    _set(session, view, {name: changes[name] for name in _CHECKS if name in changes})
    if changes.keys() & {"shared_with", "team_id"}:
        sharing = Sharing(changes.get("shared_with", view.shared_with))
        kept = view.team_id if sharing is Sharing.TEAM else None
        _share(session, view, sharing, changes.get("team_id", kept))
    session.flush()
    session.expire(view)
    return get_view(session, view_id)


def take_over_view(session: Session, view_id: int) -> SavedView:
    """Become the owner of another one's view, placed after one's own. For administrators.

    Raises NoSuchViewError, ForbiddenError, and InvalidError for somebody who has the most views already.
    """
    if not _is_admin(actor_of(session)):
        raise ForbiddenError("Only an administrator may take over a view.")
    owner_id, view = _require_person(session), get_view(session, view_id)
    if view.owner_id != owner_id:
        view.owner_id, view.position = owner_id, _last_place(session, owner_id)
        session.flush()
        session.expire(view)
    return get_view(session, view_id)


def delete_view(session: Session, view_id: int) -> None:
    """Remove a view; the audit log keeps it. Raises NoSuchViewError, and ForbiddenError for another one's view."""
    session.delete(_own(session, view_id))
    session.flush()


def order_views(session: Session, ids: Sequence[int]) -> None:
    """Put the actor's own views in this order; those that are not named follow, as they were.

    Raises InvalidError for an id that comes twice, NoSuchViewError for one that is not the actor's own.
    """
    owner_id = _require_person(session)
    wanted = [checked_id(view_id, "ids") for view_id in ids]
    if len(set(wanted)) < len(wanted):
        raise InvalidError("A view is there twice.", field="ids")
    own = select(SavedView.id).where(SavedView.owner_id == owner_id).order_by(SavedView.position, SavedView.id)
    present = session.scalars(own.with_for_update()).all()
    if unknown := set(wanted) - set(present):
        raise NoSuchViewError(f"You have no view {min(unknown)}.")
    order = [*wanted, *(view_id for view_id in present if view_id not in set(wanted))]
    place = func.unnest(literal(order, ARRAY(BigInteger))).table_valued("id", with_ordinality="place").render_derived()
    moved = update(SavedView).where(SavedView.id == place.c.id, SavedView.position != place.c.place)
    session.execute(moved.values(position=place.c.place).execution_options(synchronize_session=False))


def _last_place(session: Session, owner_id: int) -> int:
    """Return the place after somebody's views. Raises InvalidError where they have the most already."""
    theirs = select(func.count(), func.max(SavedView.position)).where(SavedView.owner_id == owner_id)
    count, last = session.execute(theirs).one()
    if count >= MOST_VIEWS:
        raise InvalidError(f"You have {MOST_VIEWS} views, which is the most. Delete one that you do not need.")
    return (last or 0) + 1


def _own(session: Session, view_id: int) -> SavedView:
    view = get_view(session, view_id)
    if not may_change(view, actor_of(session)):
        raise ForbiddenError("Only its owner or an administrator may change this view.")
    return view


def _require_staff(session: Session) -> None:
    if not actor_of(session).is_staff:
        raise ForbiddenError(ONLY_THE_DESK)


def _require_person(session: Session) -> int:
    _require_staff(session)
    user_id = actor_of(session).user_id
    if user_id is None:
        raise InvalidError("A view belongs to somebody: say who acts.")
    return user_id


def _is_admin(actor: Actor) -> bool:
    return actor.kind in {ActorKind.ADMIN, ActorKind.SYSTEM}


def _set(session: Session, view: SavedView, values: Mapping[str, Any]) -> None:
    """Check the fields and set them. Query and sort are read together, whichever of them changed."""
    for name, value in values.items():
        setattr(view, name, _CHECKS[name](value))
    if values.keys() & {"query", "sort"}:
        with _typed_into("query"):
            prepare(session, view.query)
        with _typed_into("sort", before=_SORT):
            prepare(session, Query(None, _order(view.sort)))
        query_of(view.query, view.sort)


@contextmanager
def _typed_into(field: str, before: str = "") -> Iterator[None]:
    """Let an error name the field and the place in it, of which more was read `before`."""
    try:
        yield
    except QueryError as error:
        error.field = field
        error.position = max((error.position or 0) - len(before), 0)
        end = max(cast("int", error.details["end"]) - len(before), 0)
        error.details |= {"field": field, "position": error.position, "end": end}
        raise


def _name(value: str) -> str:
    cleaned = one_line(value, NAME_LENGTH + 1)
    if not 1 <= len(cleaned) <= NAME_LENGTH:
        raise InvalidError(f"A view's name has 1 to {NAME_LENGTH} characters.", field="name")
    return cleaned


def _sort(value: str) -> str:
    cleaned = one_line(value, SORT_LENGTH + 1).lower()
    if len(cleaned) > SORT_LENGTH:
        raise InvalidError(f"A sort has at most {SORT_LENGTH} characters.", field="sort")
    return cleaned


_CHECKS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "name": _name,
    "query": lambda value: value.strip(),
    "columns": checked_columns,
    "sort": _sort,
}


def _order(sort: str) -> tuple[Value, ...]:
    if not sort:
        return ()
    read = parse(f"{_SORT}{sort}")
    if read.tree is not None or not read.sort:
        raise InvalidError("A sort is written as after sort: in a query, such as priority,updated.", field="sort")
    return read.sort


def _share(session: Session, view: SavedView, shared_with: Sharing, team_id: int | None) -> None:
    """Let nobody, a team or all the desk see the view."""
    if (shared_with is Sharing.TEAM) != (team_id is not None):
        raise InvalidError("Name the team that sees the view, and only where a team does.", field="team_id")
    if team_id is not None:
        _check_team(session, team_id)
    view.shared_with, view.team_id = shared_with, team_id


def _check_team(session: Session, team_id: int) -> None:
    actor = actor_of(session)
    if not is_id(team_id) or session.get(Team, team_id) is None:
        raise InvalidError(f"There is no team {team_id}.", field="team_id")
    member = exists().where(TeamMember.team_id == team_id, TeamMember.user_id == actor.user_id)
    if not _is_admin(actor) and not session.scalar(select(member)):
        raise ForbiddenError("You can share a view with a team that you are in.")
