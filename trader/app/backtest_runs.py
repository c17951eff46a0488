"""Where back-tests are kept: one folder for each, named by what went into it.

Lives here: the manifest of a run, saving it whole or not at all, finding it again. Equal inputs
have one name and equal bytes, so a run made twice is kept once. Must not live here: what two runs
differ in (see `backtest_compare`), layout.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from trader.app.backtest_inputs import BacktestInputs, BacktestOptions
from trader.app.backtest_report import REPORT_VERSION, with_rows
from trader.bars.bar_file import READER_VERSION, BarFile
from trader.core.canonical import canonical, sha256_of
from trader.core.scale import text
from trader.core.state import instrument_row
from trader.domain.timeframe import timeframe_name
from trader.errors import DataError, UsageError
from trader.records import dataclass

MANIFEST_VERSION = 1
ID_DIGITS = 16
PREFIX_MIN = 4
RUN, REPORT, TRIPS, FILLS = "run.json", "report.json", "round_trips.i64", "fills.i64"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """What a run was made of besides its bars: hashes, hex.

    Attributes:
        policy, policy_source: of the checked form, of the files as written. code: of the program.
        lock: of the packages it was released with. strategies: of each strategy's file.
    """

    policy: str
    policy_source: str
    code: str
    lock: str
    strategies: Mapping[str, str]


def build_manifest(
    made: Made,
    inputs: BacktestInputs,
    options: BacktestOptions,
    files: Mapping[str, BarFile],
    details: Mapping[str, BarFile] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Row:
    """Everything that decides what a run says, and `id`, which is the hash of the rest.

    `extra`: more of that kind, such as the trials of a sweep. No time, no path, no machine.
    """
    data = [_data_row(file, "bars") for _, file in sorted(files.items())]
    data += [_data_row(file, "detail") for _, file in sorted((details or {}).items())]
    from dataclasses import asdict

    rest: Row = {
        "manifest": MANIFEST_VERSION,
        "report": REPORT_VERSION,
        "reader": READER_VERSION,
        "code": made.code,
        "lock": made.lock,
        "policy": made.policy,
        "policy_source": made.policy_source,
        "strategies": dict(sorted(made.strategies.items())),
        "data": data,
        "instruments": {i.symbol: instrument_row(i) for i in inputs.instruments},
        "options": {
            "start_ms": inputs.start_ms,
            "end_ms": inputs.end_ms,
            "starting_balance": text(inputs.cash),
            "strategies": list(options.strategies),
            "timeframe": options.timeframe,
            "decisions": timeframe_name(inputs.parameters.step_ms),
            "model": asdict(inputs.model),
        },
        "seed": 0,  # nothing in a back-test is left to chance
        **(extra or {}),
    }
    return {"id": sha256_of(rest)[:ID_DIGITS], **rest}


def _data_row(file: BarFile, use: str) -> Row:
    from trader.bars.store import series_sha

    series = file.series
    return {
        "symbol": file.symbol,
        "use": use,
        "timeframe": timeframe_name(file.step_ms),
        "tick": text(file.tick),
        "bars": len(series),
        "first_ms": series.open_ms[0],
        "last_ms": series.open_ms[-1],
        "sha256": getattr(file, "content_sha", "") or series_sha(series),
    }


@dataclass(frozen=True, slots=True)
class KeptRun:
    """A run as it was saved.

    Attributes:
        summary: the report without its round trips. trips, fills: rows of whole numbers (see
            `report_rows`), whose names are places in `names`.
    """

    summary: Mapping[str, Any]
    trips: array[int]
    fills: array[int]
    names: Sequence[str]

    @property
    def manifest(self) -> Mapping[str, Any]:
        """What the run was made of."""
        return self.summary["manifest"]

    def report(self) -> Row:
        """The whole report."""
        return with_rows(self.summary, self.trips, self.names)


class Runs:
    """The runs below a folder."""

    def __init__(self, folder: Path) -> None:
        """`folder` need not be there yet."""
        self.folder = folder

    def save(self, run: KeptRun) -> Path:
        """Where the run is now. Raises OSError and leaves nothing half-written."""
        name = run.manifest["id"]
        place = self.folder / name
        with suppress(DataError, OSError):
            self._load(place)
            return place
        self.folder.mkdir(parents=True, exist_ok=True)
        self._sweep()
        part = self.folder / f".{name}.{os.getpid()}.part"
        try:
            part.mkdir()
            _write(part, run)
            if place.exists():
                _remove(place)  # damaged, or of a program that wrote other files
            with suppress(FileExistsError):  # another process was as fast, with the same bytes
                part.rename(place)
        finally:
            _remove(part, missing_ok=True)
        return place

    def load(self, name: str) -> KeptRun:
        """The run whose id begins so. Raises UsageError, or DataError for a damaged one."""
        found = [known for known in self.names() if known.startswith(name)]
        if len(found) != 1 or len(name) < PREFIX_MIN:
            what = "no run begins so" if not found else f"{len(found)} runs begin so"
            if len(name) < PREFIX_MIN:
                what = f"that is less than {PREFIX_MIN} of its digits"
            raise UsageError(f"run {name!r}: {what}", "trader backtest list names them")
        return self._load(self.folder / found[0])

    def names(self) -> list[str]:
        """Ids, the newest first."""
        with suppress(OSError):
            places = [place for place in self.folder.iterdir() if not place.name.startswith(".")]
            ordered = sorted(places, key=lambda place: (-_time_ns(place), place.name))
            return [place.name for place in ordered]
        return []

    def rows(self) -> Iterator[Row]:
        """A line about each run, the newest first; `damaged` says why one cannot be shown."""
        for name in self.names():
            place = self.folder / name
            try:
                head = json.loads((place / RUN).read_bytes())["head"]
                yield {"id": name, "saved_ms": _time_ns(place) // 1_000_000, **head}
            except (OSError, ValueError, KeyError, TypeError) as error:
                yield {"id": name, "damaged": f"{RUN}: {type(error).__name__}"}

    def _load(self, place: Path) -> KeptRun:
        try:
            run = json.loads((place / RUN).read_bytes())
            parts = {name: (place / name).read_bytes() for name in (REPORT, TRIPS, FILLS)}
            altered = [name for name in parts if _sha(parts[name]) != run["files"][name]]
            names = [str(name) for name in run["names"]]
            altered += [RUN] if run["seal"] != _seal(run) else []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise _damaged(place, f"cannot be read ({error})") from error
        if altered:
            raise _damaged(place, f"{altered[0]} is not what was written")
        return KeptRun(json.loads(parts[REPORT]), _ints(parts[TRIPS]), _ints(parts[FILLS]), names)

    def _sweep(self) -> None:
        """Take away what processes left that were ended while they wrote."""
        for part in self.folder.glob(".*.part"):
            pid = part.name.split(".")[-2]
            if not (pid.isdigit() and Path("/proc", pid).exists()):
                _remove(part, missing_ok=True)


def _remove(folder: Path, *, missing_ok: bool = False) -> None:
    import shutil  # it brings four kinds of compression along

    shutil.rmtree(folder, ignore_errors=missing_ok)


def _damaged(place: Path, why: str) -> DataError:
    return DataError(
        f"run {place.name} is damaged: {why}", f"make it again, or remove the folder {place}"
    )


def _time_ns(place: Path) -> int:
    with suppress(OSError):
        return place.stat().st_mtime_ns
    return 0


def _write(place: Path, run: KeptRun) -> None:
    parts = {
        REPORT: json.dumps(run.summary, ensure_ascii=False, separators=(",", ":")).encode(),
        TRIPS: _bytes(run.trips),
        FILLS: _bytes(run.fills),
    }
    for name, data in parts.items():
        (place / name).write_bytes(data)
    head: Row = {
        "files": {name: _sha(data) for name, data in parts.items()},
        "names": list(run.names),
        "head": headline(run.summary),
    }
    (place / RUN).write_text(canonical({**head, "seal": _seal(head)}), encoding="utf-8")


def headline(summary: Mapping[str, Any]) -> Row:
    """What a list says of a run."""
    account, metrics = summary["account"], summary["metrics"]
    return {
        "symbols": [row["symbol"] for row in summary["market"]],
        "strategies": [row["strategy"] for row in summary["books"]],
        "from": summary["range"]["first_open"],
        "to": summary["range"]["last_close"],
        "timeframe": summary["range"]["timeframe"],
        "quote": account["quote"],
        "starting_balance": account["starting_balance"],
        "final_equity": account["final_equity"],
        "total_return": metrics["total_return"],
        "max_drawdown": metrics["max_drawdown"],
        "sharpe": metrics["sharpe"],
        "fills": summary["orders"]["fills"],
    }


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _seal(run: Mapping[str, Any]) -> str:
    return sha256_of({name: run[name] for name in ("files", "names", "head")})


def _bytes(rows: array[int]) -> bytes:
    """Little-endian on every machine."""
    if sys.byteorder == "little":
        return rows.tobytes()
    turned = array("q", rows)
    turned.byteswap()
    return turned.tobytes()


def _ints(data: bytes) -> array[int]:
    rows = array("q")
    rows.frombytes(data)
    if sys.byteorder != "little":
        rows.byteswap()
    return rows
