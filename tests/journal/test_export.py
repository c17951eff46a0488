"""For people: inspection and export."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from trader.errors import JournalError, UsageError
from trader.journal import Journal
from trader.journal.export import export, inspect


def test_inspect_counts_rows_and_kinds(made: Path) -> None:
    seen = inspect(made)
    with Journal.open(made, read_only=True) as journal:
        assert seen["head"] == f"{journal.head.seq}:{journal.head.hash}"
        assert seen["tables"]["entries"] == journal.head.seq
        assert seen["tables"]["fills"] == len(journal.fills())
    assert sum(seen["kinds"].values()) == seen["tables"]["entries"]
    assert seen["bytes"] == made.stat().st_size
    assert seen["migrations"] == ["0001_entries", "0002_projections"]


def test_a_table_is_exported_in_three_formats(made: Path) -> None:
    with Journal.open(made, read_only=True) as journal:
        fills = journal.fills()
    lines = list(export(made, "fills", "jsonl"))
    assert sorted(json.loads(line)["trade_id"] for line in lines) == sorted(
        str(fill["trade_id"]) for fill in fills
    )
    whole = json.loads("\n".join(export(made, "fills", "json")))
    assert [json.loads(line) for line in lines] == whole
    rows = list(csv.DictReader(export(made, "fills", "csv")))
    assert [row["symbol"] for row in rows] == [fill["symbol"] for fill in whole]


def test_bytes_are_left_out(made: Path) -> None:
    assert "body" not in next(export(made, "blobs", "csv"))


def test_an_empty_table_is_an_empty_array(journal: Journal) -> None:
    assert list(export(journal.path, "fills", "json")) == ["[]"]
    assert list(export(journal.path, "fills", "jsonl")) == []


@pytest.mark.parametrize(
    ("table", "format_", "words"),
    [
        ("filles", "csv", "did you mean fills"),
        ("sqlite_schema", "csv", "there are: entries"),
        ("fills", "xml", "there are: csv, json, jsonl"),
    ],
)
def test_what_does_not_exist_is_refused(made: Path, table: str, format_: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        export(made, table, format_)


def test_a_missing_journal_is_a_journal_error(path: Path) -> None:
    with pytest.raises(JournalError):
        list(export(path, "fills", "csv"))
