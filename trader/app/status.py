"""Status: what is known of an account, offline, from its journal and status.json.

Lives here: reading both without touching either, and the sums that people ask for. Must not live
here: layout, the lock and the latch (the caller reads those).
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

from trader.app.book_rows import Flags, book_rows, flags_of
from trader.app.day_rows import recent_rows
from trader.app.status_file import account_status
from trader.core.risk_gates import HASHES, unapproved
from trader.core.scale import text, to_decimal, value_of_base_down
from trader.core.snapshot import Running
from trader.core.state import State
from trader.domain.timeframe import TIMEFRAMES_MS
from trader.errors import JournalError
from trader.journal.journal import Journal
from trader.records import dataclass

JOURNAL_NAME = "journal.db"
STATUS_NAME = "status.json"


@dataclass(frozen=True, slots=True)
class Status:
    """One account and mode.

    Attributes:
        folder: its state folder. row: what is known, plain data with decimals as text.
        trouble: why the journal cannot be read; "" when it could. Then `row` is status.json's.
    """

    folder: Path
    row: dict[str, Any]
    trouble: str

    @property
    def mode(self) -> str:
        """paper, testnet or live."""
        return str(self.row.get("mode") or self.folder.name.rpartition("-")[2])


def account_folders(root: Path) -> list[Path]:
    """Folders below the state folder that hold an account's books, by name."""
    try:
        found = sorted(path for path in root.iterdir() if path.is_dir())
    except OSError:
        return []
    names = (JOURNAL_NAME, STATUS_NAME)
    return [path for path in found if any(_is_there(path / name) for name in names)]


def _is_there(path: Path) -> bool:
    """Whether a file can be seen; no for one in a folder that is closed to this user."""
    try:
        return path.exists()
    except OSError:
        return False


def read_status(folder: Path) -> Status:
    """What is known of one account. Never raises for a journal that cannot be read: `trouble`."""
    left = _status_file(folder / STATUS_NAME)
    try:
        with Journal.open(folder / JOURNAL_NAME, read_only=True) as journal:
            return Status(folder, {**left, **_journal_row(journal)}, "")
    except JournalError as error:
        return Status(folder, left, str(error))


def _status_file(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}


def _journal_row(journal: Journal) -> dict[str, Any]:
    state = journal.state
    last = journal.last_cycle()
    head = journal.head
    account = account_status(state)
    marks = {row["symbol"]: _mark(journal, row["symbol"]) for row in account["positions"]}
    return {
        "account": state.word("account"),
        "mode": state.word("mode"),
        **account,
        **_results(state, account["positions"], marks),
        "days": recent_rows(state),
        "strategies": book_rows(state, _flags(journal), marks),
        "cycle": last.cycle if last else 0,
        "cycle_now_ms": last.now_ms if last else 0,
        "bar_ms": last.bar_ms if last else -1,
        "ended": bool(last and last.ended),
        "exit_code": last.code if last and last.ended else None,
        "policy": state.word("policy"),
        "approval": approval_row(state, _ran(journal)),
        "other_fees": dict(sorted(state.other_fees.items())),
        "head": {"seq": head.seq, "hash": head.hash},
    }


def _ran(journal: Journal) -> Running | None:
    """Hashes of what the newest cycle ran; None before the first, or when its start is sealed."""
    last = journal.last_cycle()
    entry = journal.entry(last.start_seq) if last else None
    if entry is None:
        return None
    return Running(*(str(entry.payload[name]) for name in ("policy", "code", "lock")))


def approval_row(state: State, running: Running | None) -> dict[str, Any] | None:
    """Who approved what, and which hashes of the newest cycle (None: there was none) differ; None
    when nothing was ever approved."""
    if not state.word("approved_by"):
        return None
    return {
        "by": state.word("approved_by"),
        **{name: state.word(f"approved_{name}") for name in HASHES},
        "differs": unapproved(state, running) if running else [],
    }


def _flags(journal: Journal) -> Flags:
    """Flags of the strategies of the newest cycle's policy; none before the first."""
    try:
        form: Any = json.loads(journal.get_blob(journal.state.word("policy")))
    except (KeyError, ValueError):
        return {}
    return flags_of(form)


def _mark(journal: Journal, symbol: str) -> int:
    """Close of the newest bar the journal knows, ticks; 0 when it knows none."""
    newest, close = -1, 0
    for timeframe, step_ms in TIMEFRAMES_MS.items():
        open_ms = journal.last_bar_ms(symbol, timeframe)
        if open_ms < 0 or open_ms + step_ms <= newest:
            continue
        newest = open_ms + step_ms
        bars = journal.known_bars(symbol, timeframe, open_ms, open_ms + 1)
        bar = bars[open_ms]
        price = to_decimal(bar.close, Decimal(bar.tick))
        close = int(price / journal.state.spec(symbol).tick)
    return close


def _results(
    state: State, positions: list[dict[str, Any]], marks: dict[str, int]
) -> dict[str, Any]:
    """Positions with their marks, equity and results; adds to each row of `positions`."""
    unit = Decimal(1).scaleb(-state.number("cash_digits"))
    value_total = open_total = realised_total = fees_total = 0
    for row in positions:
        position = state.positions[row["symbol"]]
        spec = state.spec(row["symbol"])
        ticks = marks[row["symbol"]] or position.entry_ticks
        value = value_of_base_down(spec, ticks, position.qty_units) if ticks else 0
        row["last"] = text(spec.price(ticks))
        row["value"] = text(to_decimal(value, unit))
        row["open_result"] = text(to_decimal(value - position.cost_units, unit))
        value_total += value
        open_total += value - position.cost_units
        realised_total += position.realised_units
        fees_total += position.fees_units
    return {
        "equity": text(to_decimal(state.cash_units + value_total, unit)),
        "realised_result": text(to_decimal(realised_total, unit)),
        "open_result": text(to_decimal(open_total, unit)),
        "fees": text(to_decimal(fees_total, unit)),
    }
