"""`trader status`: offline, from the journal.

Lives here: which accounts are shown, and the layout in plain lines, for pipes and files; for a
terminal `status_tables` draws. Must not live here: sums.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from trader.app.status import Status, account_folders, read_status
from trader.cli.output import draws, print_json
from trader.cli.times import span, utc
from trader.errors import ExitCode, TraderError
from trader.ops.latch import Latch
from trader.ops.lock import holder_pid

WATCH_S = 1.0
LOOK_S = 0.1
NO_DAY = {"result": "?"}

Look = Callable[[Sequence[Status], int], None]


def status_command(
    *, config: Sequence[str], state_dir: str, as_json: bool, verbose: int, watch: bool
) -> int:
    """Show what the journals say: mode, last cycle, positions, orders, results, halts, due."""
    root = find_root(config, state_dir)
    if watch:
        return watch_status(root, as_json=as_json, verbose=verbose)
    found = [read_status(folder) for folder in account_folders(root)]
    now_ms = time.time_ns() // 1_000_000
    if draws() and not as_json:
        # Only here: importing rich costs as much as the rest of the command.
        from trader.cli.output import console
        from trader.cli.status_tables import status_view

        rows = [status_row(status, now_ms) for status in found]
        console().print(status_view(rows, now_ms, verbose, root))
    else:
        print_status(root, found, now_ms, as_json=as_json, verbose=verbose)
    return int(ExitCode.JOURNAL if any(status.trouble for status in found) else ExitCode.OK)


def watch_status(root: Path, *, as_json: bool, verbose: int) -> int:
    """Look again every second until a signal; in place on a terminal, else one after another."""
    from trader.wiring import StopFlag, stop_on_signals

    gc.enable()
    stop = StopFlag()
    with stop_on_signals(stop), _looker(root, as_json=as_json, verbose=verbose) as look:
        while not stop():
            found = [read_status(folder) for folder in account_folders(root)]
            look(found, time.time_ns() // 1_000_000)
            until = time.monotonic() + WATCH_S
            while not stop() and time.monotonic() < until:
                time.sleep(LOOK_S)
    return int(ExitCode.INTERRUPTED)


@contextmanager
def _looker(root: Path, *, as_json: bool, verbose: int) -> Generator[Look]:
    """What shows the accounts at one moment."""
    if as_json or not draws():
        yield lambda found, now_ms: print_status(
            root, found, now_ms, as_json=as_json, verbose=verbose
        )
        return
    from trader.cli.status_tables import fitted, live_screen, status_view

    with live_screen() as show:

        def look(found: Sequence[Status], now_ms: int) -> None:
            rows = [status_row(status, now_ms) for status in found]
            show(fitted(f"{utc(now_ms)}; Ctrl-C ends", status_view(rows, now_ms, verbose, root)))

        yield look


def print_status(
    root: Path, found: Sequence[Status], now_ms: int, *, as_json: bool, verbose: int
) -> None:
    """Plain text or JSON, on stdout."""
    if as_json:
        print_json({"state_dir": str(root), "accounts": [status_row(s, now_ms) for s in found]})
    else:
        print("\n".join(screen(root, found, now_ms, verbose)), flush=True)


def find_root(config: Sequence[str], state_dir: str) -> Path:
    """The state folder; a policy that cannot be read does not hide it."""
    named = ""
    if not state_dir:
        from trader.cli.given import setup_options
        from trader.wiring import load_policy

        try:
            named = load_policy(setup_options(config, state_dir)).form["app"]["state_dir"]
        except TraderError:
            if config:
                raise
    return Path(state_dir or named or os.environ.get("STATE_DIRECTORY", "") or "state")


def status_row(found: Status, now_ms: int) -> dict[str, Any]:
    """One account as JSON."""
    latch = Latch(found.folder / "latch").read()
    due = found.row.get("next_due_ms")
    return {
        "folder": str(found.folder),
        **found.row,
        "mode": found.mode,
        "trouble": found.trouble,
        "running_pid": holder_pid(found.folder / "lock"),
        "latch": None
        if latch is None
        else {"level": latch.level, "why": latch.why, "by": latch.by, "at_ms": latch.at_ms},
        "overdue_ms": max(0, now_ms - due) if isinstance(due, int) else None,
    }


def screen(root: Path, found: Sequence[Status], now_ms: int, verbose: int) -> list[str]:
    """Everything as lines, each naming its mode."""
    if not found:
        return [f"[none] no account has books in {root}; run `trader cycle` or `trader demo`"]
    lines: list[str] = []
    for status in found:
        row = status_row(status, now_ms)
        lines += [f"[{row['mode']}] {line}" for line in account_lines(row, verbose)]
    return lines


def account_lines(row: dict[str, Any], verbose: int) -> list[str]:
    """One account."""
    lines = [f"account {row.get('account', '?')} in {row['folder']}"]
    if row["trouble"]:
        lines.append(f"JOURNAL: {row['trouble']}")
    if "cycle" not in row:
        return lines
    lines.append(_cycle_line(row))
    lines.append(_halt_line(row))
    lines += exit_lines(row)
    lines += approval_lines(row.get("approval"))
    quote = row.get("quote", "")
    if "equity" in row:
        lines.append(
            f"equity {row['equity']} {quote} of capital {row['capital']}; cash {row['cash']}; "
            f"result {row['realised_result']} booked, {row['open_result']} open; "
            f"fees {row['fees']}"
        )
    if "high" in row:
        lines.append(
            f"high-water mark {row['high']}, {row['drawdown']} below it at the newest decision; "
            f"{row['in_flight']} in flight; {row['entries_hour']} entries within the hour, "
            f"{row['entries_day']} a day"
        )
    lines += _day_lines(row, verbose)
    lines += _table(
        ("position", "strategy", "quantity", "entry", "last", "stop", "open result"),
        [
            (p["symbol"], p["strategy"], p["qty"], p["entry"], p.get("last", "?"), p["stop"],
             p.get("open_result", "?"))
            for p in row.get("positions", ())
            if p["strategy"]
        ],
        "no positions",
    )  # fmt: skip
    lines += _table(
        ("order", "symbol", "side", "state", "price", "quantity", "filled"),
        [
            (o["client_id"][-8:], o["symbol"], o["side"], o["state"], o["price"], o["qty"],
             o["filled"])
            for o in row.get("orders", ())
        ],
        "no working orders",
    )  # fmt: skip
    lines += _strategy_lines(row.get("strategies", ()))
    lines += [f"note: {note}" for note in row.get("notes", ())]
    if verbose:
        lines.append(f"policy {row.get('policy', '')}")
        lines.append(f"journal head {row['head']['seq']} {row['head']['hash']}")
    return lines


def _day_lines(row: dict[str, Any], verbose: int) -> list[str]:
    """The newest day; all that are kept for who asks for more. Then what needs a human."""
    day = row.get("day")
    lines = [day_text(day, row.get("quote", ""))] if day else []
    if verbose:
        lines = [day_text(day, row.get("quote", "")) for day in row.get("days", ())]
    return lines + list(row.get("findings", ()))


def day_text(day: dict[str, Any], quote: str) -> str:
    """What a day came to."""
    parts = f"{day['realised_result']} realised, {day['unrealised_result']} unrealised"
    counts = f"{day['entries']} entries sent, {day['fills']} fills"
    flows = "" if day["flows"] == "0" else f"; {day['flows']} came or went"
    return (
        f"day {day['date']}: result {day['result']} {quote} ({parts}); "
        f"fees {day['fees']}; {counts}{flows}"
    )


def _strategy_lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    lines = _table(
        ("strategy", "state", "positions", "today", "realised", "open result", "drawdown"),
        [
            (s["strategy"], s["state"], str(len(s["positions"])),
             (s.get("day") or NO_DAY)["result"], s["realised_result"], s.get("open_result", "?"),
             s.get("drawdown", "?"))
            for s in rows
        ],
        "no strategies",
    )  # fmt: skip
    return lines + [failed_text(s) for s in rows if s["off_why"]]


def failed_text(row: dict[str, Any]) -> str:
    """Why a strategy is not asked any more, and what brings it back."""
    name = row["strategy"]
    back = f"trader resume --strategy {name} --by NAME --reason TEXT"
    return f"strategy {name} is off, {row['off_why']}; to ask it again: {back}"


def _cycle_line(row: dict[str, Any]) -> str:
    ended = "not ended" if row.get("exit_code") is None else f"exit code {row['exit_code']}"
    line = f"cycle {row['cycle']} decided bar {utc(row['bar_ms'])}, {ended}"
    if row["running_pid"]:
        return f"{line}; process {row['running_pid']} runs a cycle now"
    due = row.get("next_due_ms")
    if due is None:
        return line
    late_ms = row["overdue_ms"]
    return f"{line}; next due {utc(due)}" + (f", OVERDUE by {span(late_ms)}" if late_ms else "")


def _halt_line(row: dict[str, Any]) -> str:
    latch = row["latch"]
    if latch is not None:
        by = f" by {latch['by']}" if latch["by"] else ""
        return f"LATCHED at {latch['level']}{by}: {latch['why']}"
    if row.get("halt_level", "running") != "running":
        return f"HALTED at {row['halt_level']} by {row['halt_by']}: {row['halt_why']}"
    return "running: no halt, no latch"


def exit_lines(row: dict[str, Any]) -> list[str]:
    """What somebody must look at, and exits that a named human asked for and that are not done."""
    lines = [f"ALARM {told}" for told in row.get("alarms", ())]
    for asked in row.get("asked", ()):
        what = "everything" if asked["symbol"] == "*" else asked["symbol"]
        lines.append(f"to be left: {what}; {asked['by']} asked for it: {asked['why']}")
    return lines


def approval_lines(approval: dict[str, Any] | None) -> list[str]:
    """Whether what ran last is what a named human approved; nothing when nothing ever was."""
    if approval is None:
        return []
    by, differs = approval["by"], ", ".join(approval["differs"])
    if not differs:
        return [f"code, lock and policy are those that {by} approved"]
    command = "`trader policy approve --by NAME --reason TEXT`"
    return [f"NOT APPROVED: {differs} not as {by} approved: no entries until {command}"]


def _table(names: Sequence[str], rows: Sequence[Sequence[str]], nothing: str) -> list[str]:
    if not rows:
        return [nothing]
    every = [names, *rows]
    widths = [max(len(row[column]) for row in every) for column in range(len(names))]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in every
    ]
