"""The building blocks of all schemas: cleaned text, bounded ids, fields that may be left out."""

from typing import Annotated, Any, TypeVar

from fastapi import Path
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import inspect

from deskbell.kernel.text import clean

T = TypeVar("T")
BIGGEST = 2**63 - 1
"""Of a `bigint`: more than this is refused here, not by the database."""

EXAMPLE_TIME = "2026-11-22T09:30:00Z"


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


Text = Annotated[str, BeforeValidator(_cleaned)]
Str100 = Annotated[Text, Field(max_length=100)]
Str255 = Annotated[Text, Field(max_length=255)]
Str500 = Annotated[Text, Field(max_length=500)]
Id = Annotated[int, Field(strict=True, ge=1, le=BIGGEST)]
Flag = Annotated[bool, Field(strict=True)]

PathId = Annotated[int, Path(ge=1, le=BIGGEST, examples=[42])]
Number = Annotated[
    str,
    Path(
        max_length=50,
        pattern=r"^[A-Za-z][A-Za-z0-9]{0,9}[-#]?[0-9]{1,19}$",
        description="The ticket's number; case does not matter.",
        examples=["DB-1042"],
    ),
]


class Input(BaseModel):
    """A request body: what it does not know it refuses."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """Return the fields that were sent, so that null differs from nothing."""
        return {name: getattr(self, name) for name in sorted(self.model_fields_set)}


class Output(BaseModel):
    """A response body."""


def absent() -> Any:  # noqa: ANN401 - stands for any field
    """Make a field optional without making it nullable: `title: str = Field(default_factory=absent)`."""
    return None


def loaded(entity: object, attribute: str, default: T) -> T:
    """Return a relation that was loaded, or `default`: customers are shown neither teams nor tags."""
    state: Any = inspect(entity)
    return default if attribute in state.unloaded else getattr(entity, attribute)
