"""Strategy files: finding, judging and reading the source text. Nothing is executed here.

Lives here: `strategies/<file>.py` beside the configuration, its hash, and who may have written it.
Must not live here: what the source means (`core.strategy` compiles it).
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from trader.policy.checked import Checked
from trader.policy.problems import Code, PolicyError, Problem
from trader.policy.regular_files import read_regular
from trader.records import dataclass

SOURCE_BYTES_MAX = 1 << 20
FOLDER = "strategies"


@dataclass(frozen=True, slots=True)
class StrategySource:
    """A strategy file as it was read: `text`, and the sha256 of its bytes, hex."""

    file: str
    path: str
    text: str
    sha: str


class StrategyFileRefused(Exception):
    """Why a file is not read: message and hint."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def load_strategies(checked: Checked) -> dict[str, StrategySource]:
    """The source of every strategy that has a file; raises PolicyError that names every bad one."""
    sources, problems = read_strategies(checked.form["strategies"], checked.folders, checked.origin)
    if problems:
        raise PolicyError(problems, checked.warnings)
    return sources


def read_strategies(
    strategies: Mapping[str, Mapping[str, object]],
    folders: Mapping[str, str],
    origin: Mapping[str, str],
) -> tuple[dict[str, StrategySource], list[Problem]]:
    """Sources by strategy name, and a problem for every file that cannot be used.

    A strategy of rules alone has none.
    """
    sources: dict[str, StrategySource] = {}
    problems: list[Problem] = []
    for name, row in strategies.items():
        file = str(row["file"])
        if not file:
            continue
        try:
            sources[name] = load_strategy_file(Path(folders[name]) / FOLDER, file)
        except StrategyFileRefused as error:
            place = origin.get(f"strategies.{name}.file", "default")
            problems.append(_problem(name, file, place, error))
    return sources, problems


def _problem(name: str, file: str, place: str, error: StrategyFileRefused) -> Problem:
    label, _, line = place.rpartition(":")
    where = f"strategies.{name}.file"
    message = f"{FOLDER}/{file} {error.message}"
    if label and line.isdigit():
        return Problem(Code.STRATEGY_FILE.name, label, int(line), 0, where, message, error.hint)
    shown = f"{FOLDER}/{file}" if place == "default" else place
    return Problem(Code.STRATEGY_FILE.name, shown, 0, 0, where, message, error.hint)


def load_strategy_file(folder: Path, file: str) -> StrategySource:
    """Reads one file after judging the very descriptor that is read."""
    path = folder / file
    try:
        _judge_writers(folder.stat(), "its folder")
        found = read_regular(path, SOURCE_BYTES_MAX)
    except FileNotFoundError:
        raise StrategyFileRefused("is missing", f"write it, or look into {folder}") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise StrategyFileRefused(f"cannot be read: {why}") from error
    if found is None:
        raise StrategyFileRefused("is not a regular file")
    data, status = found
    _judge_writers(status, "it")
    if len(data) > SOURCE_BYTES_MAX:
        raise StrategyFileRefused(f"is larger than {SOURCE_BYTES_MAX} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        message = f"is not UTF-8 text (byte 0x{data[error.start]:02x} in line {line})"
        raise StrategyFileRefused(message, "save it as UTF-8") from error
    if "\x00" in text:
        raise StrategyFileRefused("holds a NUL character", "it is not Python text")
    return StrategySource(file, str(path), text, hashlib.sha256(data).hexdigest())


def _judge_writers(status: os.stat_result, what: str) -> None:
    """Whoever can write a strategy decides what is bought."""
    sticky = stat.S_ISDIR(status.st_mode) and status.st_mode & stat.S_ISVTX
    if status.st_mode & 0o002 and not sticky:
        raise StrategyFileRefused(f"is refused: everyone may write {what}", "chmod o-w")
    if status.st_uid not in {0, os.geteuid()}:
        message = f"is refused: {what} belongs to user {status.st_uid}"
        raise StrategyFileRefused(message, "chown it to the user that runs trader")
