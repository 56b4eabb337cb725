"""Every setting stands in the reference, with its default."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from deskbell.kernel.settings import Settings

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"


def settings(group: type[BaseSettings] = Settings) -> Iterator[tuple[str, FieldInfo]]:
    for name, field in group.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseSettings):
            yield from settings(field.annotation)
        else:
            yield f"{group.model_config['env_prefix']}{name.upper()}", field


@pytest.mark.parametrize(("name", "field"), [pytest.param(name, field, id=name) for name, field in settings()])
def test_each_setting_is_documented(name: str, field: FieldInfo) -> None:
    [line] = [line for line in REFERENCE.read_text().splitlines() if line.startswith(f"| `{name}` |")]
    assert field.description
    assert field.description in line
    if field.default_factory is None and field.default not in {None, ""}:
        assert f"`{field.default}`" in line
