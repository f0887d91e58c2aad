import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from daemon.config import Config, load_config
from daemon.options import Drop
from daemon.settings.example import example
from daemon.settings.keys import Key, keys, tables
from daemon.settings.live import is_live
from daemon.settings.meanings import MEANINGS
from daemon.settings.schema import schema

_ROOT = Path(__file__).parents[3]
_DEFAULTS = Config(drop=Drop(path=Path("/data/incoming")))


def _loaded(text: str, folder: Path) -> Config:
    (folder / "kilokai.toml").write_text(text)
    return load_config(folder / "kilokai.toml", [], {})


def _all_given(text: str) -> str:
    """Return the example with each key as it stands there, commented out or not."""
    return re.sub(r"^#(\w+ = )", r"\1", text, flags=re.MULTILINE)


def test_the_example_loads_to_the_defaults(tmp_path: Path) -> None:
    assert _loaded(example(), tmp_path) == _DEFAULTS


def test_every_default_that_it_shows_is_the_default(tmp_path: Path) -> None:
    found = _loaded(_all_given(example()), tmp_path)
    for key in keys():
        value = getattr(getattr(found, key.table), key.name)
        default = getattr(getattr(_DEFAULTS, key.table), key.name)
        assert value == default or (default is None and str(value) == key.example), key.path
    assert found.model_fields_set == set(tables())
    for table in tables():
        given = getattr(found, table)
        assert given.model_fields_set == set(type(given).model_fields)


def test_the_files_in_the_project_are_in_step() -> None:
    again = "wanted what `kilokai config init` and `kilokai config schema` write now"
    assert (_ROOT / "kilokai.example.toml").read_text("utf-8") == example(), again
    assert json.loads((_ROOT / "docs" / "kilokai.schema.json").read_text()) == schema(), again


def test_each_key_is_told_what_for_and_none_that_is_gone() -> None:
    assert set(MEANINGS) == {f"{t}.{name}" for t, table in tables().items()
                             for name in table.model_fields}  # fmt: skip
    assert all(meaning.endswith(".") for meaning in MEANINGS.values())


def test_a_line_fits_its_page() -> None:
    assert max(map(len, example().splitlines())) <= 90


@pytest.mark.parametrize("key", keys(), ids=lambda key: key.path)
def test_what_is_allowed_tells_the_bounds_that_hold(key: Key) -> None:
    found = schema()["properties"][key.table]["properties"][key.name]
    for bound in ("minimum", "exclusiveMinimum", "maximum", "maxLength"):
        if bound in found:
            words = {1e6: "10^6"}.get(found[bound], f"{found[bound]:g}")
            assert re.search(rf"(?<!\d){re.escape(words)}(?!\d)", key.allowed), (bound, key.allowed)
    assert all(value in key.allowed for value in found.get("enum", ()))


def test_the_live_keys_are_marked() -> None:
    marked = re.findall(r"live\.\n#?(\w+) =", example())
    assert marked == [key.name for key in keys() if is_live(key.path)]


def _judge(**tables: Any) -> None:
    jsonschema.Draft7Validator(schema()).validate({"drop": {"path": "/d"}, **tables})


def test_the_schema_takes_what_is_right_and_nothing_else() -> None:
    jsonschema.Draft7Validator.check_schema(schema())
    _judge(alerts={"most_per_hour": 3}, bus={"keys": "/k"})
    wrongs: tuple[dict[str, Any], ...] = (
        {"alerts": {"most_per_hour": -1}},
        {"alerts": {"most": 1}},
        {"storage": {}},
        {"drop": {}},
        {"drop": {"path": "/d", "settle_s": 0}},
    )
    for wrong in wrongs:
        with pytest.raises(jsonschema.ValidationError):
            _judge(**wrong)
