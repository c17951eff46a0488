"""The schema as data: JSON Schema for editors, and a row per key for the documents.

Lives here: what can be generated from `schema`. `python -m trader.policy.describing FOLDER` writes
one JSON Schema per file. Must not live here: keys.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast, get_args

from pydantic import TypeAdapter
from pydantic.fields import FieldInfo

from trader.policy.checking import all_keys, field_at
from trader.policy.fields import Kind, Number
from trader.policy.schema import Files
from trader.policy.sources import SECTIONS
from trader.records import dataclass

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One leaf key for people: dotted, `*` for the user's own names; default as YAML text ("" when
    there is none); what kind of value it takes, with its bounds."""

    key: str
    default: str
    description: str
    kind: str


def json_schemas() -> dict[str, dict[str, Any]]:
    """File name -> its JSON Schema, as editors read it."""
    schemas: dict[str, dict[str, Any]] = {}
    for section in SECTIONS:
        field = Files.model_fields[section]
        adapter = TypeAdapter[Any](cast("Any", field.annotation))
        body = adapter.json_schema()
        about = {"$schema": DIALECT, "title": f"{section}.yaml"}
        if section == "strategies":
            about["description"] = f"{field.description}"
        schemas[f"{section}.yaml"] = {**body, **about}
    return schemas


def schema_texts() -> dict[str, str]:
    """File name of each JSON Schema -> its text."""
    return {
        name.replace(".yaml", ".schema.json"): json.dumps(body, indent=2, sort_keys=True) + "\n"
        for name, body in json_schemas().items()
    }


def key_rows() -> list[KeyRow]:
    """Every leaf key of the five files, in the order of the schema."""
    return [_row(key) for key in all_keys()]


def _row(key: str) -> KeyRow:
    path = tuple(key.split("."))
    field = field_at(path)
    if field is None:  # a number under a name of the user
        above = field_at(tuple(key.rstrip(".*").split(".")))
        kinds = _kinds(above.annotation) if above else [Number()]
        return KeyRow(key, "", (above.description or "") if above else "", kinds[-1].words())
    default = field.default
    text = "" if default is None else yaml_text(default)
    return KeyRow(key, text, field.description or "", _kind_words(field))


def yaml_text(value: Any) -> str:
    """A default as it would be written in a file."""
    if isinstance(value, str) and value and not set(value) & set("{}[]:#,\"'"):
        return value
    return json.dumps(value)


def _kind_words(field: FieldInfo) -> str:
    kinds = [part for part in field.metadata if isinstance(part, Kind)] or _kinds(field.annotation)
    words = " or ".join(dict.fromkeys(kind.words() for kind in kinds))
    listed = "list" in str(field.annotation)
    if "universe" in str(field.annotation) and listed:
        return f"universe, or a list: {words}"
    return f"list: {words}" if listed else words


def _kinds(annotation: Any) -> list[Kind]:
    """The kinds inside a type, in order."""
    if isinstance(annotation, Kind):
        return [annotation]
    return [kind for part in get_args(annotation) for kind in _kinds(part)]


def description_of(dotted: str) -> str:
    """What a key of a form means, the user's own names among it; "" for one that is unknown."""
    path = tuple(dotted.split("."))
    for length in range(len(path), 0, -1):
        field = field_at(path[:length])
        if field is not None:
            return field.description or ""
    return ""


def schema_of(dotted: str) -> str:
    """What the schema says about a block of keys."""
    return description_of(dotted.rstrip(".*")) if "." in dotted else ""


def main(arguments: Sequence[str]) -> int:
    """Writes the schema files into the named folder."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
