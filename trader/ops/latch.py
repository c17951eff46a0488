"""The latch: a halt that stands outside the trading process and its journal, as one file.

Lives here: reading it (before every send: one open and one read), setting it durably, clearing it.
It fails closed: a file that is there and cannot be understood counts as `frozen`. Must not live
here: who may resume, and what a level allows.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from trader.core.canonical import canonical
from trader.core.state import HALT_LEVELS
from trader.errors import JournalError, UsageError
from trader.records import dataclass

# `running` is no level of a latch: then there is no file.
LEVELS = HALT_LEVELS[1:]
_GRAVEST = LEVELS[-1]


@dataclass(frozen=True, slots=True)
class LatchState:
    """A latch that is set: its halt level, why, by whom, and when (epoch ms; 0: not known)."""

    level: str
    why: str
    by: str
    at_ms: int


class Latch:
    """One latch file. Nothing is cached: another process may set it at any time."""

    def __init__(self, path: Path) -> None:
        """`path` need not exist."""
        self.path = path

    def read(self) -> LatchState | None:
        """What is set; None only when there is no file at all. Never raises."""
        try:
            with open(self.path, "rb") as file:  # noqa: PTH123 - cheaper than Path.open, each send
                data = file.read()
        except FileNotFoundError:
            if not self.path.is_symlink():
                return None
            return _unreadable("it is a link to nothing")
        except OSError as error:
            return _unreadable(str(error.strerror))
        try:
            return _parse(json.loads(data))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            return _unreadable(f"{type(error).__name__}: it is not what `set` writes")

    def level(self) -> str:
        """The halt level that it demands; `running` when it is not set."""
        state = self.read()
        return "running" if state is None else state.level

    def set(self, level: str, why: str, by: str, at_ms: int) -> None:
        """Set it durably; a graver level that stands already is kept.

        When the disk is too full for the text, the empty file that remains possible is put in
        place: it reads as `frozen`. Raises JournalError when not even that can be done.
        """
        if level not in LEVELS:
            raise ValueError(f"{level!r} is not a level of a latch: {', '.join(LEVELS)}")
        standing = self.read()
        if standing is not None and LEVELS.index(standing.level) > LEVELS.index(level):
            level = standing.level
        row = {"level": level, "why": why, "by": by, "at_ms": at_ms}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            _replace(self.path, canonical(row).encode() + b"\n")
        except OSError as error:
            raise JournalError(
                f"the latch {self.path} cannot be written: {error.strerror}",
                "stop the timer by hand (systemctl stop trader.timer), then make room",
            ) from error

    def clear(self, by: str, reason: str, at_ms: int) -> None:
        """Take it away, durably. What stood there is kept beside it, as `NAME.cleared`, with
        who cleared it and why. Raises UsageError without a name or a reason, JournalError."""
        if not by.strip() or not reason.strip():
            raise UsageError("a latch is cleared by a named human with a reason", "give both")
        standing = self.read()
        if standing is None:
            return
        row = {
            "at_ms": at_ms,
            "by": by,
            "reason": reason,
            "was": [standing.level, standing.why, standing.by, standing.at_ms],
        }
        try:
            kept = self.path.with_name(self.path.name + ".cleared")
            _replace(kept, canonical(row).encode() + b"\n")
            self.path.unlink(missing_ok=True)
            _sync_folder(self.path.parent)
        except OSError as error:
            raise JournalError(
                f"the latch {self.path} cannot be cleared: {error.strerror}",
                "make the state folder writable and resume again; it is still halted",
            ) from error


def _parse(row: Any) -> LatchState:
    level, why, by, at_ms = row["level"], row["why"], row["by"], row["at_ms"]
    if level not in LEVELS or type(at_ms) is not int or type(why) is not str or type(by) is not str:
        raise ValueError("of another kind")
    return LatchState(level, why, by, at_ms)


def _unreadable(what: str) -> LatchState:
    return LatchState(_GRAVEST, f"the latch file cannot be read: {what}", "", 0)


def _replace(path: Path, data: bytes) -> None:
    """Put the content in place at once and durably; a part of it when the disk is full."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        os.write(fd, data)
        os.fsync(fd)
    except OSError:
        # An unreadable latch is a set latch: better this file than none.
        fresh.replace(path)
        return
    finally:
        os.close(fd)
    fresh.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
