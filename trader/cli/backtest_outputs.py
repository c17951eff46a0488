"""Where the report of a run goes: the terminal, JSON, CSV, a page, a picture.

Lives here: choosing among them, and files that are there whole or not at all. Must not live here:
what a report says.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from trader.app.backtest import BacktestResult
from trader.app.backtest_runs import KeptRun
from trader.app.report_rows import Scales, amounts_of, fill_rows, trip_rows, utc_text
from trader.errors import UsageError

# The disk's doing, which `main` knows how to say; anything else is the place that was named.
DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EFBIG, errno.EIO})


def check_outputs(given: Mapping[str, Any]) -> None:
    """Raises UsageError for what could not be written after the run, before it begins."""
    for name in ("html", "png"):
        path = Path(given[name])
        if given[name] and (path.is_dir() or not path.parent.is_dir()):
            why = "it is a folder" if path.is_dir() else "its folder does not exist"
            raise UsageError(f"--{name} {path}: {why}", "name a file in a folder that exists")
    if given["csv"] and Path(given["csv"]).exists() and not Path(given["csv"]).is_dir():
        raise UsageError(f"--csv {given['csv']} is a file", "name a folder")
    if given["png"]:
        from trader.app.report_png import check_pillow

        check_pillow()


def show_run(run: KeptRun, given: Mapping[str, Any]) -> None:
    """The report on stdout: JSON, or tables."""
    if given["as_json"]:
        print("\n".join(json_lines(run.report())))
        return
    from trader.cli.backtest_tables import show_report
    from trader.cli.plain_tables import Paper

    paper = Paper.for_stdout()
    show_report(run.summary, paper)
    paper.print()


def json_lines(report: Mapping[str, Any]) -> Iterator[str]:
    """One JSON document: each part of the report, and each row of a part, on a line of its own."""
    parts = len(report)
    yield "{"
    for at, (key, value) in enumerate(report.items(), 1):
        comma = "," if at < parts else ""
        rows, ends = _json_rows(value)
        if not rows:
            yield f" {_json(key)}: {_json(value)}{comma}"
            continue
        yield f" {_json(key)}: {ends[0]}"
        yield from (f"  {row}{',' if n < len(rows) else ''}" for n, row in enumerate(rows, 1))
        yield f" {ends[1]}{comma}"
    yield "}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _json_rows(value: Any) -> tuple[list[str], str]:
    if isinstance(value, dict):
        found = cast("dict[str, Any]", value)
        return [f"{_json(name)}: {_json(inner)}" for name, inner in found.items()], "{}"
    if isinstance(value, list):
        return [_json(inner) for inner in cast("list[Any]", value)], "[]"
    return [], ""


def write_outputs(
    run: KeptRun, given: Mapping[str, Any], result: BacktestResult | None = None
) -> None:
    """The files asked for. `result`: a run just made, whose equity is known at every bar."""
    if given["csv"]:
        write_csv(run, Path(given["csv"]), result)
    if given["html"]:
        from trader.app.report_html import build_page

        page = build_page(run.summary)
        write_whole(Path(given["html"]), [page.encode()])
    if given["png"]:
        from trader.app.report_png import build_picture

        write_whole(Path(given["png"]), [build_picture(run.summary)])


def write_csv(run: KeptRun, folder: Path, result: BacktestResult | None) -> None:
    """fills.csv, round_trips.csv, equity_daily.csv, and of a run just made equity.csv."""
    with placed(folder):
        folder.mkdir(parents=True, exist_ok=True)
    scales = Scales.of(run.summary)
    fills = list(fill_rows(run.fills, run.names, scales))
    write_whole(folder / "fills.csv", _csv(fills, FILL_HEAD))
    trips = list(trip_rows(run.trips, run.names, scales))
    write_whole(folder / "round_trips.csv", _csv(trips, TRIP_HEAD))
    days = [{"day": day, "equity": equity} for day, equity in run.summary["equity_daily"]]
    write_whole(folder / "equity_daily.csv", _csv(days, ("day", "equity")))
    if result is not None:
        head = ("time", "time_ms", "equity")
        write_whole(folder / "equity.csv", _csv(_equity(result), head))


FILL_HEAD = (
    "time", "time_ms", "symbol", "strategy", "side", "qty", "price", "value", "fee", "reason",
    "maker",
)  # fmt: skip
TRIP_HEAD = (
    "strategy", "symbol", "opened", "closed", "opened_ms", "closed_ms", "bought", "sold",
    "first_price", "last_price", "cost", "proceeds", "fees", "result", "share", "fills",
    "exit_reason",
)  # fmt: skip


def _equity(result: BacktestResult) -> Iterator[dict[str, Any]]:
    shown = amounts_of(result.inputs.cash_unit)
    for at_ms, units in zip(result.curve_ms, result.curve_units, strict=True):
        yield {"time": utc_text(at_ms), "time_ms": at_ms, "equity": shown(units)}


def _csv(rows: Iterable[Mapping[str, Any]], head: tuple[str, ...]) -> Iterator[bytes]:
    """Lines; None is an empty cell. Names with a comma or a quote are quoted."""
    yield (",".join(head) + "\n").encode()
    for row in rows:
        yield (",".join(_cell(row[name]) for name in head) + "\n").encode()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    text = str(value)
    return '"' + text.replace('"', '""') + '"' if set(text) & set(',"\n') else text


def write_whole(path: Path, parts: Iterable[bytes], sync: Callable[[int], None] = os.fsync) -> None:
    """The file is there with all of its bytes, or is what it was before. Raises OSError for a full
    disk, UsageError for a place that cannot be written to."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    with placed(path):
        try:
            with part.open("wb") as stream:
                stream.writelines(parts)
                stream.flush()
                sync(stream.fileno())
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)


@contextmanager
def placed(path: Path) -> Generator[None]:
    """What goes wrong while something is written there: OSError for the disk's doing, UsageError
    for a place that cannot be written to."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK:
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise UsageError(
            f"cannot write {path}: {error.strerror}", "name a place that can be written to"
        ) from error
