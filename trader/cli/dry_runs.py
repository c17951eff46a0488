"""`--dry-run`: a pass on a copy of the books, up to the plan.

Lives here: the copy, and the plan in words. Must not live here: anything that writes to the real
books or sends.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from trader.app.cycle import decide_cycle
from trader.cli.given import account_setup
from trader.cli.output import print_json, print_lines
from trader.cli.passes import order_row
from trader.cli.times import utc
from trader.core.plan import Plan
from trader.errors import ExitCode
from trader.ops.lock import hold
from trader.records import replace
from trader.wiring import (
    Places,
    Setup,
    SetupOptions,
    deadline,
    open_journal,
    open_venue,
    state_root,
)


def dry_run_on_a_copy(options: SetupOptions, *, as_json: bool) -> int:
    """Decide on a copy of the books in a scratch folder, print the plan, send nothing."""
    with tempfile.TemporaryDirectory(prefix="trader-dry-run-") as scratch:
        setup = account_setup(replace(options, state_dir=scratch))
        copy_books(state_root(options, setup.settings.state_dir), setup.places)
        return show_dry_run(setup, as_json=as_json)


def copy_books(root: Path, scratch: Places) -> None:
    """Copy the account's books to a scratch folder, where a dry run may do as it likes.

    Under the lock where there is one, so that no cycle writes meanwhile.
    """
    real = Places(root / scratch.folder.name)
    scratch.folder.mkdir(parents=True, exist_ok=True)
    if not real.folder.exists():
        return
    if not real.lock.exists():
        _copy_files(real, scratch)
        return
    with hold(real.lock):
        _copy_files(real, scratch)


def _copy_files(real: Places, scratch: Places) -> None:
    for path in sorted(real.folder.iterdir()):
        # The shared-memory file of a WAL is rebuilt from the WAL itself.
        if path.is_file() and path != real.lock and not path.name.endswith("-shm"):
            shutil.copy2(path, scratch.folder / path.name)


def show_dry_run(setup: Setup, *, as_json: bool) -> int:
    """Decide on the copy, print the plan, send nothing."""
    mode = setup.run.parameters.mode
    with open_journal(setup, create=True) as journal:
        venue = open_venue(setup)
        abort: Callable[[], None] = getattr(venue, "abort", lambda: None)
        with deadline(setup.settings.deadline_ms / 1000, abort):
            cycle, bar_ms, reconciled, decided, note = decide_cycle(setup.run, venue, journal)
        orders = [order for order in journal.state.orders.values() if order.bar_ms == bar_ms]
        rows = [order_row(journal.state, order) for order in orders]
    if as_json:
        print_json(
            {
                "dry_run": True,
                "mode": mode,
                "cycle": cycle,
                "bar_ms": bar_ms,
                "note": note,
                "orders": rows,
                "trail": [row.row() for row in decided.trail] if decided else [],
                "mismatches": list(reconciled.mismatches),
            }
        )
        return int(ExitCode.OK)
    print_lines(mode, dry_run_lines(bar_ms, note, rows, decided, list(reconciled.mismatches)))
    return int(ExitCode.OK)


def dry_run_lines(
    bar_ms: int, note: str, rows: list[dict[str, Any]], decided: Plan | None, found: list[str]
) -> list[str]:
    """The plan in words."""
    lines = [f"dry run for bar {utc(bar_ms)}: {note}, {len(rows)} orders; nothing is written"]
    lines += [
        f"would {row['side']} {row['qty']} {row['symbol']} at {row['price']} "
        f"({row['strategy']}, {row['reason']})"
        for row in rows
    ]
    for answer in decided.trail if decided else ():
        lines.append(f"{answer.strategy or 'no strategy'} {answer.symbol}: {answer.answer}")
    lines += [f"MISMATCH {mismatch}" for mismatch in found]
    return lines
