"""The declarative base: naming convention, column types and the two declarations every table makes.

Every table says in `info` who may do what with its rows (`access`, see `kernel.access`) and how the audit log treats it
(`audit`: "full", or the reason why it is not recorded). Both are turned into DDL and compared with the migrations by
tests.
"""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from sqlalchemy import TIMESTAMP, BigInteger, Enum, FetchedValue, Identity, MetaData, String, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, mapped_column

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

CLOCK = text("clock_timestamp()")
"""Not `now()`, which is the start of the transaction: a long import would date its last rows minutes too early."""


class Base(DeclarativeBase):
    """Base of every mapped class."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a plain class attribute
        datetime: TIMESTAMP(timezone=True),
        str: Text(),
        int: BigInteger(),
        dict[str, Any]: JSONB(none_as_null=True),
    }


Id = Annotated[int, mapped_column(BigInteger, Identity(always=True), primary_key=True)]
CreatedAt = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True), server_default=CLOCK)]
UpdatedAt = Annotated[
    datetime,
    mapped_column(
        TIMESTAMP(timezone=True), server_default=CLOCK, server_onupdate=FetchedValue(), info={"audit": "derived"}
    ),
]
"""Set by a trigger, so that bulk statements and raw SQL keep it too."""

Str50 = Annotated[str, mapped_column(String(50))]
Str100 = Annotated[str, mapped_column(String(100))]
Str255 = Annotated[str, mapped_column(String(255))]
Str500 = Annotated[str, mapped_column(String(500))]


def enum_column(values: type[StrEnum], name: str) -> Enum:
    """Store the lower-case values as checked text.

    Not a native enum: its equality is not leakproof, so beneath a row policy no index on it would be used.
    """
    return Enum(
        values,
        name=name,
        native_enum=False,
        create_constraint=True,
        length=32,
        values_callable=lambda enum: [member.value for member in enum],
        validate_strings=True,
    )
