"""Where the exchange keeps its books: a directory that survives a kill.

Here: a snapshot (JSON, atomic rename, fsync) and an append-only log of what changed since (JSON
lines, one write each, fsync by option), and a lock so that two servers never share it. Not here:
what a record means (exchange.py, books.py).

The snapshot's `generation` names the log that continues it, so a crash between writing a snapshot
and starting its log loses and doubles nothing. A torn last line was never answered: it is dropped.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trader.exchange.bars import ExchangeSetupError

_LOG_LINES_MAX = 5_000


class BooksNotKeptError(RuntimeError):
    """A change could not be written: it must not be answered. The server ends the connection."""


class StateDir:
    """One exchange's directory. `fsync`: also survive a power cut, not only a kill."""

    def __init__(self, path: Path, *, fsync: bool) -> None:
        self._path = path
        self._fsync = fsync
        self._generation = 0
        self._lines = 0
        self._log_fd = -1
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock_fd = os.open(path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise ExchangeSetupError(f"{path}: cannot keep books there: {error}") from error
        try:
            fcntl.flock(self._lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock_fd)
            raise ExchangeSetupError(f"{path}: another exchange runs on these books") from error

    def load(self) -> list[dict[str, Any]]:
        """The snapshot and all records after it, oldest first; empty for a new directory."""
        records: list[dict[str, Any]] = []
        snapshot = self._path / "books.json"
        try:
            if snapshot.exists():
                kept = json.loads(snapshot.read_text())
                self._generation = kept["generation"]
                records.append(kept["record"])
            log = self._log_path()
            whole = log.read_bytes().rpartition(b"\n") if log.exists() else (b"", b"", b"")
            lines = whole[0].split(b"\n") if whole[1] else []
            records += [json.loads(line) for line in lines]
        except (OSError, ValueError, KeyError) as error:
            raise ExchangeSetupError(
                f"{self._path}: the exchange's books are unreadable ({error}); "
                "move the directory away to start with new ones"
            ) from error
        self._lines = len(lines)
        if whole[2]:
            with log.open("r+b") as file:
                file.truncate(len(whole[0]) + len(whole[1]))
        self._log_fd = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return records

    def append(self, record: dict[str, Any], snapshot: Callable[[], dict[str, Any]]) -> None:
        """Keep a record; when the log has grown long, keep a snapshot instead."""
        if self._lines >= _LOG_LINES_MAX:
            self._write_snapshot(snapshot())
            return
        line = json.dumps(record, separators=(",", ":")).encode() + b"\n"
        size = os.fstat(self._log_fd).st_size
        try:
            _write_whole(self._log_fd, line)
            if self._fsync:
                os.fdatasync(self._log_fd)
        except OSError as error:
            # The record is lost: the next one must be a snapshot, and not follow half a line.
            os.ftruncate(self._log_fd, size)
            self._lines = _LOG_LINES_MAX
            raise BooksNotKeptError(f"{self._path}: {error}") from error
        self._lines += 1

    def close(self) -> None:
        """Give up the lock."""
        for fd in (self._log_fd, self._lock_fd):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._log_fd = self._lock_fd = -1

    def _log_path(self) -> Path:
        return self._path / f"log-{self._generation}.jsonl"

    def _write_snapshot(self, record: dict[str, Any]) -> None:
        old_log = self._log_path()
        self._generation += 1
        temporary = self._path / "books.json.new"
        with temporary.open("w") as file:
            json.dump({"generation": self._generation, "record": record}, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path / "books.json")
        directory_fd = os.open(self._path, os.O_RDONLY)
        os.fsync(directory_fd)
        os.close(directory_fd)
        os.close(self._log_fd)
        self._log_fd = os.open(self._log_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._lines = 0
        old_log.unlink(missing_ok=True)


def _write_whole(fd: int, line: bytes) -> None:
    if os.write(fd, line) != len(line):
        raise OSError("the disk took only a part of a record")
