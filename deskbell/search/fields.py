"""What a condition of a query means as SQL, by the kind of the field that a slice has declared."""

from collections.abc import Mapping

from sqlalchemy import false, or_

from deskbell.kernel.fields import Choice, Context, Expression, Field, Flag, Flags, Name, Number, Text, Time
from deskbell.search.language.errors import QueryError, did_you_mean, listed, nearest, shown
from deskbell.search.language.tree import Condition, Operator, Value
from deskbell.search.names import Names
from deskbell.search.values import ME, NONE, choice, known_value, number, time

Known = Mapping[str, Field]


def known_field(term: Condition, known: Known) -> Field:
    """Return the field of a condition, and make sure that it can be compared like this. Raises QueryError."""
    field = known.get(term.field)
    if field is None:
        raise _no_field(term, known)
    if term.operator is not Operator.IS and not field.is_comparable:
        suggestion = f"{term.field}:"
        message = f"{term.field} has no order to compare by.{did_you_mean(suggestion)}"
        raise QueryError(message, span=term.operator_span, found=term.operator, expected=(":",), suggestion=suggestion)
    return field


def flags_of(term: Condition, field: Flags) -> list[Flag]:
    """Return what `is:` or `has:` asks for. Raises QueryError."""
    return [field.flags[known_value(term, value, tuple(field.flags))] for value in term.values]


def condition(term: Condition, known: Known, names: Names, context: Context) -> Expression:
    """Compile `field:value`. Raises QueryError for what does not exist, with the nearest that does."""
    field = known_field(term, known)
    match field:
        case Flags():
            return or_(*(flag.condition(context) for flag in flags_of(term, field)))
        case Choice():
            return choice(term, field, context)
        case Time():
            return time(term, field, context)
        case Number():
            return number(term, field, context)
        case Name():
            return _named(term, field, names, context)
        case Text():
            return or_(*(field.having(value.text, context) for value in term.values))
    raise TypeError(f"nothing says how a {type(field).__name__} is compiled")


def _named(term: Condition, field: Name, names: Names, context: Context) -> Expression:
    parts: list[Expression] = []
    ids: list[int] = []
    for value in term.values:
        if value.says(NONE):
            parts.append(_lacking(term, field, value))
        elif field.me and value.says(ME):
            ids.extend([] if context.actor.user_id is None else [context.actor.user_id])
        else:
            ids.extend(names.ids(field.catalog, value))
    if ids:
        parts.append(field.having(sorted(set(ids))))
    return or_(*parts) if parts else false()


def _lacking(term: Condition, field: Name, value: Value) -> Expression:
    if field.lacking is None:
        message = f"{term.field}: is never none: every ticket has one."
        raise QueryError(message, span=value.span, found=value.text, expected=("a name",))
    return field.lacking


def _no_field(term: Condition, known: Known) -> QueryError:
    found = shown(f"{term.field}{term.operator}")
    near = nearest(term.field, known)
    suggestion = f"{near}:" if near else None
    message = (
        f"There is no field {found}.{did_you_mean(suggestion)} Fields are {listed(known)}. "
        "To search for this as text, put it in quotation marks."
    )
    return QueryError(message, span=term.name_span, found=term.field, expected=sorted(known), suggestion=suggestion)
