"""A sweep's folder: what went in, and a line for every finished trial, so that it can go on.

Lives here: the record of inputs (`sweep.json`), the trials (`trials.jsonl`: appended and fsynced in
batches while a sweep runs, put in order when it is complete), the lock, and what makes a folder
another sweep's. Must not live here: what a trial is, how many were made before (see
`sweeping_count`).

Nothing in the folder depends on the time, the number of workers or how often a sweep was ended: the
same inputs leave the same bytes.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import zlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from io import FileIO
from pathlib import Path
from typing import Any

from trader.app.sweeping_rows import TrialRow, row_of
from trader.errors import DataError, LockHeld, UsageError

VERSION = 1
RECORD, ROWS = "sweep.json", "trials.jsonl"
FLUSH_S, FLUSH_ROWS = 1.0, 256
CRC_DIGITS = 8
RUNNING, COMPLETE = "incomplete", "complete"


class SweepStore:
    """An open folder; `torn` counts lines that were cut or damaged and are made again."""

    def __init__(self, folder: Path, inputs: Mapping[str, Any], trials: int) -> None:
        """Opens or begins it. Raises LockHeld, UsageError for a folder of other inputs, OSError."""
        self.folder = folder
        self.inputs = dict(inputs)
        self.trials = trials
        self.torn = 0
        self._offsets = array("q", [-1]) * trials
        self._waiting: list[tuple[int, bytes]] = []
        self._flushed = time.monotonic() - FLUSH_S  # the first row is kept at once
        folder.mkdir(parents=True, exist_ok=True)
        self._held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._file = _opened(folder / ROWS)
        try:
            self._lock()
            known = self._known()
            if known is None:
                self.write_record({"state": RUNNING})
            self._read()
        except (OSError, LockHeld, UsageError, DataError):
            self._file.close()
            os.close(self._held)
            raise

    def _lock(self) -> None:
        try:
            fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockHeld(f"another sweep is at work in {self.folder}", "wait for it") from None

    def _known(self) -> dict[str, Any] | None:
        """The record that is there; raises UsageError when it is of other inputs."""
        path = self.folder / RECORD
        try:
            found: Any = json.loads(path.read_text(encoding="utf-8"))
            before: dict[str, Any] = dict(found["inputs"])
        except FileNotFoundError:
            if self._file.seek(0, os.SEEK_END):
                raise DataError(
                    f"{self.folder} holds trials and no {RECORD}", "give another folder with --out"
                ) from None
            return None
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} is not a sweep's record ({type(error).__name__})",
                "remove the folder, or give another one with --out",
            ) from error
        differ = differing(before, self.inputs)
        if differ:
            raise UsageError(
                f"{self.folder} holds a sweep of other inputs: {', '.join(differ)}",
                "give another folder with --out, or remove this one",
            )
        return found

    # --- rows ------------------------------------------------------------------------------------

    def _read(self) -> None:
        """Where each sound line begins; a torn tail is cut off, a damaged line is made again."""
        at = end = 0
        with (self.folder / ROWS).open("rb") as stream:
            lines = list(stream)
        for line in lines:
            row = _sound(line)
            at, begin = at + len(line), at
            if row is None or not 0 <= row.trial < self.trials:
                self.torn += 1
                continue
            self._offsets[row.trial] = begin
            end = at
        if end != at:
            self._file.truncate(end)
        self._file.seek(0, os.SEEK_END)

    @property
    def lock(self) -> int:
        """The descriptor that holds the folder."""
        return self._held

    @property
    def left(self) -> Sequence[int]:
        """The trials that have no row yet, in order."""
        return [trial for trial, at in enumerate(self._offsets) if at < 0]

    @property
    def made(self) -> int:
        """How many have one."""
        return sum(1 for at in self._offsets if at >= 0)

    def add(self, row: TrialRow) -> None:
        """Keep a row; it is on the disk within a second or so."""
        self._waiting.append((row.trial, _line(row)))
        late = time.monotonic() - self._flushed >= FLUSH_S
        if late or len(self._waiting) >= FLUSH_ROWS:
            self.flush()

    def flush(self) -> None:
        """Everything added so far is on the disk."""
        if self._waiting:
            at = self._file.seek(0, os.SEEK_END)
            lines, self._waiting = self._waiting, []
            self._write(b"".join(line for _, line in lines))
            for trial, line in lines:
                self._offsets[trial] = at
                at += len(line)
        self._flushed = time.monotonic()

    def _write(self, data: bytes) -> None:
        left = memoryview(data)
        try:
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            error.filename = str(self.folder / ROWS)
            raise

    def rows(self) -> Iterator[TrialRow]:
        """Every row, in order of the trials."""
        self.flush()
        with (self.folder / ROWS).open("rb") as stream:
            for at in self._offsets:
                if at >= 0:
                    stream.seek(at)
                    row = _sound(stream.readline())
                    assert row is not None
                    yield row

    # --- the end ---------------------------------------------------------------------------------

    def complete(self, told: Mapping[str, Any]) -> None:
        """Every trial has its row: put them in order, and say so in the record."""
        self.flush()
        assert not self.left
        part = self.folder / f"{ROWS}.part"
        offsets, at = array("q"), 0
        with part.open("wb") as stream:
            for row in self.rows():
                line = _line(row)
                offsets.append(at)
                at += len(line)
                stream.write(line)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(self.folder / ROWS)
        self._file.close()
        self._file, self._offsets = _opened(self.folder / ROWS), offsets
        self.write_record({"state": COMPLETE, **told})

    def write_record(self, told: Mapping[str, Any]) -> None:
        """The record, whole or not at all."""
        body = {"sweep": VERSION, "trials": self.trials, **told, "inputs": self.inputs}
        write_whole(self.folder / RECORD, json.dumps(body, indent=1) + "\n")

    def close(self) -> None:
        """What was added is kept, and the folder is free."""
        if self._file.closed:
            return
        try:
            self.flush()
        finally:
            self._file.close()
            os.close(self._held)


def _opened(path: Path) -> FileIO:
    """To append to, without a buffer: what a full disk did not take is not tried again at the end
    of the program."""
    return FileIO(path, "a+")


def differing(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """The names of inputs that are not the same; one level of names below is told, too."""
    found: list[str] = []
    for name in dict.fromkeys((*now, *before)):
        one, other = before.get(name), now.get(name)
        if one == other:
            continue
        if isinstance(one, dict) and isinstance(other, dict):
            inner = differing(one, other)  # pyright: ignore[reportUnknownArgumentType] - of JSON
            found += [f"{name} {each}" for each in inner]
        else:
            found.append(name)
    return found


def write_whole(path: Path, text: str) -> None:
    """A file is there with this text, or as it was before. Raises OSError."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def sound_trials(path: Path) -> int:
    """How many trials a folder's file of rows tells of; 0 where there is none."""
    try:
        with path.open("rb") as stream:
            return len({row.trial for line in stream if (row := _sound(line)) is not None})
    except OSError:
        return 0


def _line(row: TrialRow) -> bytes:
    text = row.line().encode()
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _sound(line: bytes) -> TrialRow | None:
    """The row of a line that is whole and as it was written."""
    text = line[CRC_DIGITS + 1 : -1]
    if line[-1:] != b"\n" or line[: CRC_DIGITS + 1] != b"%08x " % zlib.crc32(text):
        return None
    try:
        return row_of(text)
    except (ValueError, KeyError, TypeError):
        return None
