"""Reading the values of a condition by the kind of its field, and refusing them where they are wrong."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from deskbell.kernel.fields import Choice, Context, Expression, Name, Number, Time, one_of
from deskbell.search.language.errors import QueryError, did_you_mean, listed, nearest, shown
from deskbell.search.language.times import FORMS, Interval, NoSuchTimeError, read_interval, zone_of
from deskbell.search.language.tree import Condition, Operator, Value

NONE = "none"
ME = "me"
_LONGEST_NUMBER = 15
_RANGE = ".."


@dataclass(frozen=True, slots=True)
class Bounds:
    """The values from `low` up to, not including, `high`."""

    low: Any
    high: Any


def choice(term: Condition, field: Choice, context: Context) -> Expression:
    """Compile a condition on one of a few values; a comparison names all that are more, or less."""
    column = field.column_for(context.actor)
    if term.operator is Operator.IS:
        return one_of(column, [known_value(term, value, field.values) for value in term.values])
    place = field.values.index(known_value(term, only_value(term), field.values))
    return one_of(column, _compared(field.values, place, term.operator))


def time(term: Condition, field: Time, context: Context) -> Expression:
    """Compile a condition on a time: half-open ranges of bound moments."""
    zone = zone_of(context.actor.time_zone)

    def read(text: str, value: Value) -> Bounds:
        try:
            interval = read_interval(text, context.now, zone)
        except NoSuchTimeError as error:
            raise _wrong_value(term, value, error.message, FORMS) from None
        if interval is None:
            raise _wrong_value(term, value, "It is no time.", FORMS, _nearest_time(text))
        _check_length(term, value, interval)
        return Bounds(interval.start, interval.end)

    return _measured(term, field, context, read)


def number(term: Condition, field: Number, context: Context) -> Expression:
    """Compile a condition on a whole number."""

    def read(text: str, value: Value) -> Bounds:
        if not (text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER):
            raise _wrong_value(term, value, "It is no whole number.", ("3", "1..5"))
        return Bounds(int(text), int(text) + 1)

    return _measured(term, field, context, read)


def is_keyword(value: Value, field: Name) -> bool:
    """Whether the value is `none`, or `me` where people are meant, and no name to be looked up."""
    return value.says(NONE) or (field.me and value.says(ME))


def only_value(term: Condition) -> Value:
    """Return the value that a comparison compares with. Raises QueryError where there are several."""
    if len(term.values) == 1:
        return term.values[0]
    second = term.values[1]
    message = f"{term.field}{term.operator} compares with one value; several can be listed after a colon."
    raise QueryError(message, span=second.span, found=second.text, expected=("one value",))


def known_value(term: Condition, value: Value, known: Sequence[str]) -> str:
    """Return the one of the known values that is meant. Raises QueryError with the nearest one."""
    chosen = value.text.strip().lower()
    if chosen not in known:
        raise _wrong_value(term, value, f"It is one of {listed(known)}.", known, nearest(chosen, known))
    return chosen


def _compared(values: Sequence[str], place: int, operator: Operator) -> Sequence[str]:
    match operator:
        case Operator.ABOVE:
            return values[place + 1 :]
        case Operator.FROM:
            return values[place:]
        case Operator.BELOW:
            return values[:place]
        case _:
            return values[: place + 1]


def _measured(
    term: Condition, field: Time | Number, context: Context, read: Callable[[str, Value], Bounds]
) -> Expression:
    column = field.column_for(context.actor)
    if term.operator is not Operator.IS:
        return _compare(column, term.operator, read(only_value(term).text, only_value(term)))
    return or_(*(_equal(term, field, column, value, read) for value in term.values))


def _equal(
    term: Condition,
    field: Time | Number,
    column: ColumnElement[Any],
    value: Value,
    read: Callable[[str, Value], Bounds],
) -> Expression:
    if value.says(NONE) and field.is_nullable:
        return column.is_(None)
    first, is_range, last = value.text.partition(_RANGE)
    bounds = read(first, value)
    if is_range:
        bounds = Bounds(bounds.low, read(last, value).high)
        if bounds.low >= bounds.high:
            raise _wrong_value(term, value, "It ends before it begins.", (f"{last}{_RANGE}{first}",))
    if isinstance(bounds.low, int) and bounds.high == bounds.low + 1:
        return column == bounds.low
    return and_(column >= bounds.low, column < bounds.high)


def _compare(column: ColumnElement[Any], operator: Operator, bounds: Bounds) -> Expression:
    compare: dict[Operator, Expression] = {
        Operator.ABOVE: column >= bounds.high,
        Operator.FROM: column >= bounds.low,
        Operator.BELOW: column < bounds.low,
        Operator.TO: column < bounds.high,
    }
    return compare[operator]


def _check_length(term: Condition, value: Value, interval: Interval) -> None:
    """Refuse `created:-7d`, which would be that microsecond."""
    if interval.is_instant and term.operator is Operator.IS and _RANGE not in value.text:
        suggestion = f"{term.field}>{shown(value.text)}"
        message = f"{shown(value.text)} is one moment. Compare with it.{did_you_mean(suggestion)}"
        raise QueryError(
            message, span=term.operator_span, found=":", expected=("<", "<=", ">", ">="), suggestion=suggestion
        )


def _nearest_time(text: str) -> str | None:
    return f"-{text}" if text[:1].isdigit() and text[-1:] in "mhdwyo" else nearest(text, FORMS[-2:])


def _wrong_value(
    term: Condition, value: Value, reason: str, expected: Sequence[str], suggestion: str | None = None
) -> QueryError:
    message = f"{term.field}{term.operator} cannot be “{shown(value.text)}”. {reason}{did_you_mean(suggestion)}"
    return QueryError(message, span=value.span, found=value.text, expected=expected, suggestion=suggestion)
