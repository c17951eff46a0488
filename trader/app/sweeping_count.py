"""How many trials were made on the same data and strategies: the count that makes a result honest.

Lives here: the ledger of a state folder's sweeps. The best of many trials looks good by chance, and
the more were made the better; so a trial counts whether it was any good, failed, or was part of a
sweep that somebody ended. Must not live here: statistics that use the number.

The ledger is one line at the start of a sweep and one at its end; between them the sweep's own
folder tells how far it came.
"""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trader.app.sweeping_store import ROWS, sound_trials
from trader.records import dataclass

LEDGER = "ledger.jsonl"


@dataclass(frozen=True, slots=True)
class Counted:
    """Trials on one subject: `earlier` in other sweeps (of which there are `sweeps`), `own`."""

    own: int
    earlier: int
    sweeps: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.own + self.earlier

    def plain(self) -> dict[str, int]:
        """As data."""
        return {"here": self.own, "earlier": self.earlier, "total": self.total}


class Ledger:
    """The sweeps of a state folder."""

    def __init__(self, folder: Path) -> None:
        """`folder`: of all sweeps."""
        self.path = folder / LEDGER

    def note(self, sweep: str, subject: str, place: Path, trials: int, *, ended: bool) -> None:
        """One line, on the disk when this returns. Raises OSError."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        row = {
            "sweep": sweep,
            "subject": subject,
            "place": str(place),
            "trials": trials,
            "ended": ended,
        }
        with self.path.open("ab") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            # A line that a full disk or a kill cut short must not swallow this one.
            stream.write(b"\n" + json.dumps(row).encode() + b"\n")
            stream.flush()
            os.fsync(stream.fileno())

    def count(self, sweep: str, subject: str, own: int) -> Counted:
        """What is known of a subject; `own`: trials of this sweep, which has a line or none."""
        made: dict[str, int] = {}
        begun: dict[str, Path] = {}
        for row in self._rows():
            if row["subject"] != subject or row["sweep"] == sweep:
                continue
            name = str(row["sweep"])
            if row["ended"]:
                made[name] = max(made.get(name, 0), int(row["trials"]))
            else:
                begun[name] = Path(str(row["place"]))
        for name, place in begun.items():
            made[name] = max(made.get(name, 0), sound_trials(place / ROWS))
        return Counted(own, sum(made.values()), sum(1 for trials in made.values() if trials))

    def _rows(self) -> list[Mapping[str, Any]]:
        try:
            lines = self.path.read_bytes().splitlines()
        except OSError:
            return []
        rows: list[Mapping[str, Any]] = []
        for line in lines:
            try:
                row: Any = json.loads(line)
                rows.append(
                    {name: row[name] for name in ("sweep", "subject", "place", "trials", "ended")}
                )
            except (ValueError, KeyError, TypeError):
                continue
        return rows
