"""The schema as data: JSON Schema for editors, and a row per key for the documents.

Lives here: what can be generated from `schema`. `python -m trader.policy.describing FOLDER` writes
one JSON Schema per file. Must not live here: keys.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter

from trader.policy.checking import all_keys, field_at
from trader.policy.schema import Files
from trader.policy.sources import SECTIONS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One leaf key for people: dotted, `*` for the user's own names; default as YAML text."""

    key: str
    default: str
    description: str


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
    rows: list[KeyRow] = []
    for key in all_keys():
        field = field_at(tuple(key.split(".")))
        if field is None:
            above = field_at(tuple(key.rstrip(".*").split(".")))
            rows.append(KeyRow(key, "", (above.description or "") if above else ""))
            continue
        default = field.default
        plain = default.model_dump() if isinstance(default, BaseModel) else default
        text = "" if plain is None else json.dumps(plain)
        rows.append(KeyRow(key, text, field.description or ""))
    return rows


def description_of(dotted: str) -> str:
    """What a key of a form means, the user's own names among it; "" for one that is unknown."""
    path = tuple(dotted.split("."))
    for length in range(len(path), 0, -1):
        field = field_at(path[:length])
        if field is not None:
            return field.description or ""
    return ""


def main(arguments: Sequence[str]) -> int:
    """Writes the schema files into the named folder."""
    folder = Path(arguments[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in schema_texts().items():
        (folder / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
