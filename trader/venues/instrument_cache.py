"""The venue's listing on disk, so that a cycle reads the rules of a few instruments only.

Lives here: one file of JSON lines (a header, then one instrument a line) written whole and renamed
into place. Parsing thousands of markets costs forty times what a cycle may spend on it. Must not
live here: requests, or what the rules mean.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

Rows = dict[str, dict[str, Any]]

_VERSION = 1
# A line of an active instrument, as `instrument_row` orders it.
_ACTIVE = re.compile(rb'^\{"symbol": "([^"\\]+)",[^{}]*"active": 1,', re.MULTILINE)


class InstrumentCache:
    """Instruments of one venue in one file; anything odd in it counts as not there."""

    def __init__(self, path: Path, venue: str, age_ms_max: int) -> None:
        """`venue` names where the rules come from: another one's file is never used."""
        self._path = path
        self._venue = venue
        self._age_ms_max = age_ms_max

    def active_symbols(self, now_ms: int) -> list[str] | None:
        """Names of the instruments that can be traded, sorted; None when there is no fresh listing.

        Found by how their lines begin: the rules of thousands are not read for their names.
        """
        try:
            text = self._path.read_bytes()
            if not self._fresh(json.loads(text[: text.index(b"\n")]), now_ms):
                return None
            names = [name.decode("ascii") for name in _ACTIVE.findall(text)]
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None
        return sorted(names) or None

    def load(self, symbols: Sequence[str], now_ms: int) -> Rows | None:
        """Rows of these symbols (absent ones left out); None when there is no fresh listing."""
        try:
            text = self._path.read_bytes()
            header = json.loads(text[: text.index(b"\n")])
            if not self._fresh(header, now_ms):
                return None
            return {s: row for s in symbols if (row := _find(text, s)) is not None}
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def save(self, rows: Rows, now_ms: int) -> None:
        """Replace the file; a disk that refuses costs the next cycle a request, no more."""
        header = {"version": _VERSION, "venue": self._venue, "fetched_ms": now_ms}
        lines = [json.dumps(header), *(json.dumps(row) for row in rows.values()), ""]
        fresh = self._path.with_name(f"{self._path.name}.{os.getpid()}.new")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh.write_text("\n".join(lines), encoding="ascii")
            fresh.replace(self._path)
        except OSError:
            with suppress(OSError):
                fresh.unlink(missing_ok=True)

    def drop(self) -> None:
        """The rules are doubted: the next load finds nothing."""
        try:
            self._path.unlink(missing_ok=True)
        except OSError:
            return  # a read-only disk: the file's age ends it

    def _fresh(self, header: dict[str, Any], now_ms: int) -> bool:
        age_ms = now_ms - int(header["fetched_ms"])
        known = header["version"] == _VERSION and header["venue"] == self._venue
        return known and 0 <= age_ms <= self._age_ms_max


def _find(text: bytes, symbol: str) -> dict[str, Any] | None:
    """The line of one symbol, found by its beginning."""
    start = text.find(b'\n{"symbol": ' + json.dumps(symbol).encode() + b",")
    if start < 0:
        return None
    row = json.loads(text[start + 1 : text.index(b"\n", start + 1)])
    return cast("dict[str, Any]", row)
