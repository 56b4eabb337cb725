"""Tags: their names and colours, how many tickets bear them, merging one into another."""

from typing import Annotated, Any

from fastapi import Form, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import func
from sqlalchemy.orm import Session

from deskbell.kernel.plans import plan_for_values
from deskbell.tickets import labels
from deskbell.tickets.models import Tag
from deskbell.tickets.queries import TAGS_BY_ID, tags
from deskbell.web.admin.frame import Outcome, admin_router, attempt, done, show, wanted_or_missing
from deskbell.web.admin.listing import Words, whole
from deskbell.web.dependencies import Me, Transaction
from deskbell.web.i18n import marked
from deskbell.web.pages.pager import Paged, Pager
from deskbell.web.schemas.base import PathId, Text

router = admin_router("/tags")
FIELDS = ("name", "color", "description")
INTO = ("into",)
OFFERED = 1_000


class TagForm(BaseModel):
    """The fields of the form."""

    name: Annotated[Text, Field(max_length=1000)] = ""
    color: Annotated[Text, Field(max_length=100)] = labels.DEFAULT_COLOR
    description: Annotated[Text, Field(max_length=5000)] = ""


@router.get("")
async def list_tags(request: Request, session: Transaction, me: Me, pager: Paged, q: Words = "") -> Response:
    """List tags with their uses."""
    return await show(request, session, me, "tags.html", **await session.run_sync(tag_list, q, pager))


@router.get("/new")
async def new_tag(request: Request, session: Transaction, me: Me) -> Response:
    """Show the empty form."""
    return await _form(request, session, me, TagForm(), Outcome())


@router.post("")
async def add_tag(request: Request, session: Transaction, me: Me, form: Annotated[TagForm, Form()]) -> Response:
    """Add a tag."""
    outcome = await attempt(request, session, lambda db: labels.create_tag(db, **form.model_dump()), FIELDS)
    if outcome.errors:
        return await _form(request, session, me, form, outcome)
    return done(request, "/tags", marked("%(name)s was added."), name=wanted_or_missing(outcome.value).name)


@router.get("/{tag_id}")
async def show_tag(request: Request, session: Transaction, me: Me, tag_id: PathId) -> Response:
    """Show a tag with what can be done to it."""
    return await _page(request, session, me, tag_id, Outcome())


@router.post("/{tag_id}")
async def save_tag(
    request: Request, session: Transaction, me: Me, tag_id: PathId, form: Annotated[TagForm, Form()]
) -> Response:
    """Rename a tag, or change its colour or description."""
    outcome = await attempt(request, session, lambda db: labels.change_tag(db, tag_id, **form.model_dump()), FIELDS)
    if outcome.errors:
        return await _page(request, session, me, tag_id, outcome, form)
    return done(request, f"/tags/{tag_id}", marked("Saved."))


@router.post("/{tag_id}/merge")
async def merge_tag(
    request: Request, session: Transaction, me: Me, tag_id: PathId, into: Annotated[Text, Form(max_length=30)] = ""
) -> Response:
    """Put another tag in the place of this one."""
    outcome = await attempt(request, session, lambda db: labels.merge_tags(db, tag_id, whole(into) or tag_id), INTO)
    if outcome.errors:
        return await _page(request, session, me, tag_id, outcome)
    kept = wanted_or_missing(outcome.value)
    return done(request, f"/tags/{kept.id}", marked("The tag was merged into %(name)s."), name=kept.name)


@router.post("/{tag_id}/delete")
async def delete_tag(request: Request, session: Transaction, tag_id: PathId) -> Response:
    """Take a tag off all tickets and remove it."""
    name = (await session.run_sync(labels.get_tag, tag_id)).name
    await session.run_sync(labels.delete_tag, tag_id)
    return done(request, "/tags", marked("%(name)s was deleted."), name=name)


def tag_list(session: Session, text: str, pager: Pager) -> dict[str, Any]:
    """Return a page of tags whose names begin like a text, with how many tickets bear each. Two statements."""
    plan_for_values(session)
    statement = tags()
    if text.strip():
        statement = statement.where(func.starts_with(func.lower(Tag.name), func.lower(text.strip())))
    listed = pager.read(session, statement, TAGS_BY_ID, tag_row)
    counted = labels.uses(session, [tag["id"] for tag in listed["items"]])
    listed["items"] = [{**tag, "uses": counted.get(tag["id"], 0)} for tag in listed["items"]]
    return {"page": listed, "cap": labels.USES_COUNTED, "filters": {"q": text}, "is_filtered": pager.is_filtered}


def tag_page(session: Session, tag_id: int) -> dict[str, Any]:
    """Return a tag with the others that it could be merged into."""
    tag = labels.get_tag(session, tag_id)
    others = session.scalars(tags().where(Tag.id != tag.id).limit(OFFERED))
    return {
        "tag": {**tag_row(tag), "uses": labels.uses(session, [tag.id])[tag.id]},
        "values": {"name": tag.name, "color": tag.color, "description": tag.description},
        "others": [{"value": other.id, "label": other.name} for other in others],
        "cap": labels.USES_COUNTED,
    }


def tag_row(tag: Tag) -> dict[str, Any]:
    """Show a tag."""
    return {"id": tag.id, "name": tag.name, "color": tag.color, "description": tag.description}


async def _form(request: Request, session: Transaction, me: Me, form: TagForm, outcome: Outcome[Any]) -> Response:
    values, status = form.model_dump(), outcome.status
    return await show(request, session, me, "tag_new.html", status=status, values=values, errors=outcome.errors)


async def _page(
    request: Request, session: Transaction, me: Me, tag_id: int, outcome: Outcome[Any], form: TagForm | None = None
) -> Response:
    context = await session.run_sync(tag_page, tag_id)
    context |= {"errors": outcome.errors} | ({"values": form.model_dump()} if form else {})
    return await show(request, session, me, "tag.html", status=outcome.status, **context)
