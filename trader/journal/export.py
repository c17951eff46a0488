"""For people: what is in a journal, and its tables as CSV or JSON.

Lives here: the commands' side of looking at a journal, with sqlite-utils. Must not live here:
anything that a cycle needs (sqlite-utils is never imported on that path).
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import closing
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from trader.errors import UsageError
from trader.journal.failures import guarded
from trader.journal.files import connect_reader
from trader.journal.reads import head_of
from trader.journal.schema import MIGRATIONS, TABLES

FORMATS = ("csv", "json", "jsonl")
BUSY_MS = 5000


def inspect(path: Path) -> dict[str, Any]:
    """Head, size and rows per table of a journal. Raises JournalError."""
    import sqlite_utils

    with guarded(path, "inspecting"), closing(connect_reader(path, BUSY_MS)) as connection:
        database: Any = sqlite_utils.Database(connection)
        head = head_of(connection)
        tables = {name: database[name].count for name in ("entries", *TABLES)}
        kinds = connection.execute("SELECT kind, count(*) FROM entries GROUP BY kind ORDER BY kind")
        return {
            "head": f"{head.seq}:{head.hash}",
            "bytes": path.stat().st_size,
            "migrations": [name for name, _ in MIGRATIONS],
            "tables": tables,
            "kinds": dict(kinds.fetchall()),
        }


def export(path: Path, table: str, format_: str) -> Iterator[str]:
    """A table line by line, as CSV with a header, JSON lines, or one JSON array.

    Bytes (of blobs) are left out. Raises UsageError for a table or format that does not exist,
    and JournalError.
    """
    _refuse_unknown("table", table, ("entries", *TABLES))
    _refuse_unknown("format", format_, FORMATS)
    return _lines(path, table, format_)


def _refuse_unknown(what: str, given: str, known: tuple[str, ...]) -> None:
    if given not in known:
        close = get_close_matches(given, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
        raise UsageError(f"there is no {what} {given!r}", hint)


def _lines(path: Path, table: str, format_: str) -> Iterator[str]:
    import sqlite_utils

    with guarded(path, "exporting"), closing(connect_reader(path, BUSY_MS)) as connection:
        database: Any = sqlite_utils.Database(connection)
        names = [name for name in database[table].columns_dict if name != "body"]
        query = f"SELECT {', '.join(names)} FROM {table}"  # noqa: S608 - checked by the caller
        rows = database.query(query)
        yield from _csv(names, rows) if format_ == "csv" else _json(rows, format_)


def _csv(names: list[str], rows: Iterable[dict[str, Any]]) -> Iterator[str]:
    yield _csv_line(names)
    for row in rows:
        yield _csv_line([row[name] for name in names])


def _csv_line(values: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(values)
    return line.getvalue()


def _json(rows: Iterable[dict[str, Any]], format_: str) -> Iterator[str]:
    if format_ == "jsonl":
        yield from map(json.dumps, rows)
        return
    opening = "["
    for row in rows:
        yield f"{opening}{json.dumps(row)}"
        opening = ","
    yield "]" if opening == "," else "[]"
