"""Canonical JSON and its hash: equal values give equal bytes, on every machine.

Lives here: the one encoding that hashes, comparisons and the journal's payloads use. Floats are
refused: a payload holds ints, text, lists and dicts; an opinion is kept as its exact hex text.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any, cast

_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
)


def canonical(value: Any) -> str:
    """Sorted keys, no spaces, ASCII; TypeError when a float is anywhere inside."""
    _refuse_floats(value)
    return _ENCODER.encode(value)


def sha256_of(value: Any) -> str:
    """Hex sha256 of the canonical form."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r}: a float has no place among facts")
    if isinstance(value, dict):
        for inner in cast("dict[Any, Any]", value).values():
            _refuse_floats(inner)
    elif isinstance(value, list | tuple):
        for inner in cast("list[Any]", value):
            _refuse_floats(inner)
