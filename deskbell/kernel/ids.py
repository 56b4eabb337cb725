"""Ids of rows: `bigint`, counted from 1. Checked here, as each driver fails in its own way for what does not fit."""

from typing import Final, TypeGuard

from deskbell.kernel.errors import InvalidError
from deskbell.kernel.text import one_line

BIGGEST_ID: Final = 2**63 - 1


def is_id(value: object) -> TypeGuard[int]:
    """Whether a row can have this id."""
    return type(value) is int and 1 <= value <= BIGGEST_ID


def checked_id(value: object, field: str) -> int:
    """Return the value if it can be an id. Raises InvalidError that names the field."""
    if not is_id(value):
        raise InvalidError(f"{one_line(repr(value), 40)} is no id: they are whole numbers from 1 on.", field=field)
    return value
