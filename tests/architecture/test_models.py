"""What holds for every model, however it was declared."""

from sqlalchemy import DateTime, Enum

from deskbell.kernel.orm import Base
from deskbell.migrations.metadata import target_metadata

COLUMNS = [column for table in target_metadata.tables.values() for column in table.columns]
RELATIONS = [relation for mapper in Base.registry.mappers for relation in mapper.relationships]


def test_every_enum_stores_its_values() -> None:
    enums = [column.type for column in COLUMNS if isinstance(column.type, Enum) and column.type.enum_class]
    assert enums
    assert [enum for enum in enums if enum.enums != [member.value for member in enum.enum_class or ()]] == []


def test_every_time_has_a_time_zone() -> None:
    times = {str(column): column.type for column in COLUMNS if isinstance(column.type, DateTime)}
    assert times
    assert [name for name, kind in times.items() if not kind.timezone] == []


def test_no_relation_loads_by_itself() -> None:
    assert RELATIONS
    assert [str(relation) for relation in RELATIONS if relation.lazy != "raise"] == []


def test_no_relation_deletes_what_it_leads_to() -> None:
    """A person who is removed must not take along the tickets they created (trap B2)."""
    assert [str(relation) for relation in RELATIONS if relation.cascade.delete] == []


def test_every_constraint_and_index_has_a_name() -> None:
    """A violation becomes its error by the constraint's name."""
    tables = target_metadata.tables.values()
    assert [f"{table.name}: {item!r}" for table in tables for item in table.constraints if item.name is None] == []
    assert [f"{table.name}: {item!r}" for table in tables for item in table.indexes if item.name is None] == []
