"""Bars that a command line names: files with `--bars`, kept ones with `--pairs`.

Lives here: which instrument a file is of, and the tick that it is read with. Must not live here:
reading (`app.bar_store`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from trader.app.bar_store import OpenedBars, Progress, open_bars
from trader.bars.bar_file import BarFile
from trader.cli.output import say_detail
from trader.domain.instrument import Instrument
from trader.errors import UsageError

Rules = Mapping[str, Instrument]


def load_files(
    bars: Sequence[str],
    rules: Rules,
    option: str = "--bars",
    cache: Path | None = None,
    progress: Progress | None = None,
) -> dict[str, BarFile]:
    """Bar files by instrument; raises UsageError or DataError. `cache`: where columns are kept."""
    files: dict[str, BarFile] = {}
    for given in bars:
        file = _load(given, rules, cache, progress)
        if file.symbol in files:
            raise UsageError(f"{option} names {file.symbol} twice", "give each instrument once")
        files[file.symbol] = _noted(file)
    return files


def load_pairs(
    pairs: Sequence[str], timeframe: str, rules: Rules, folder: Path
) -> dict[str, BarFile]:
    """Kept bars by instrument, on a timeframe or (without one) the shortest that are kept."""
    from trader.app.kept_bars import stored

    files: dict[str, BarFile] = {}
    names = [spot_of("--pairs", word) for given in pairs for word in given.split(",") if word]
    for symbol in names:
        known = rules.get(symbol)
        found = stored([symbol], timeframe or None, folder, known.tick if known else None)
        files |= {name: _noted(file) for name, file in found.items()}
    return files


def spot_of(option: str, given: str) -> str:
    """`BASE/QUOTE` of a name as it was typed; raises UsageError."""
    symbol = given.strip().upper().replace("-", "/")
    spot, colon, _ = symbol.partition(":")
    if colon:
        raise UsageError(
            f"{option} names {symbol}: a perpetual or future; only spot is traded",
            f"did you mean {spot}",
        )
    return symbol


def _noted(file: OpenedBars) -> OpenedBars:
    """The same bars; what is to be said of how they were come by is said on stderr. It is no part
    of a report: equal inputs give equal reports, cached or not."""
    for note in file.notes:
        say_detail(note)
    return file


def _load(given: str, rules: Rules, cache: Path | None, progress: Progress | None) -> OpenedBars:
    name, mark, symbol = given.rpartition("=")
    if not mark or Path(given).exists():
        name, symbol = given, ""
    wanted = spot_of("--bars", symbol) or None
    if not name:
        raise UsageError(f"--bars {given!r} names no file", "write FILE=BASE/QUOTE")
    file = open_bars(name, wanted, folder=cache, progress=progress)
    known = rules.get(file.symbol)
    if known is None or known.tick == file.tick:
        return file
    return open_bars(name, file.symbol, known.tick, folder=cache, progress=progress)
