"""Kill: stop everything, confirmed; and the one way back.

Lives here: the order of an emergency stop (latch, end the running cycle, cancel and confirm, write
down), what it reports, its status, and resuming by a named human. It needs neither policy nor
journal to be readable: what it cannot read or confirm it names. Must not live here: how orders are
cancelled (`sweep`), the lock and the latch themselves (`ops`).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from trader.app.context import Clock
from trader.app.ports import Venue
from trader.app.settle import settle
from trader.app.sweep import Sweeper, SweepLimits, Swept
from trader.core.canonical import canonical
from trader.core.state import HALT_LEVELS, State
from trader.errors import ExitCode, JournalError, LockHeld, TraderError, UsageError
from trader.journal.journal import Journal
from trader.records import dataclass, field

LEVEL = "frozen"
LOG_NAME = "kill.log"
# A writer that holds the journal for longer than this makes the kill use its own file.
JOURNAL_BUSY_MS = 1_000


class LatchReading(Protocol):
    """What stands in a latch file."""

    @property
    def level(self) -> str:
        """A halt level, not `running`."""
        ...

    @property
    def why(self) -> str:
        """The reason that was given."""
        ...

    @property
    def by(self) -> str:
        """Who set it."""
        ...

    @property
    def at_ms(self) -> int:
        """When, epoch ms; 0 when not known."""
        ...


class LatchFile(Protocol):
    """The latch as a kill needs it (see `ops.latch`)."""

    def read(self) -> LatchReading | None:
        """What is set; None when it is not. Never raises."""
        ...

    def set(self, level: str, why: str, by: str, at_ms: int) -> None:
        """Set it durably. Raises JournalError."""
        ...

    def clear(self, by: str, reason: str, at_ms: int) -> None:
        """Take it away. Raises UsageError or JournalError."""
        ...


class CycleLock(Protocol):
    """The cycle lock as a kill needs it."""

    def hold(self) -> AbstractContextManager[None]:
        """Take it; raises LockHeld at once."""
        ...

    def holder(self) -> int | None:
        """Pid of the process that has it, as the kernel tells."""
        ...

    def is_held(self) -> bool:
        """Whether anybody has it."""
        ...

    def end_holder(self) -> tuple[int, ...]:
        """End whoever has it: ask, half a second, force. Returns the pids that were signalled."""
        ...


@dataclass(frozen=True, slots=True)
class Target:
    """Where to cancel: the venue, and the instruments that the policy names (none: all listed)."""

    venue: Venue
    symbols: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KillSetup:
    """What a kill is given.

    Attributes:
        journal_path: the journal, which may be absent or broken; `kill.log` lies beside it.
        open_target: makes the venue; may raise TraderError (then the latch is set all the same).
        sleep: waits seconds. grace_ms: as in `PassSetup`.
        lock_wait_s: how long to wait for the lock before the facts are left to the next cycle.
    """

    latch: LatchFile
    lock: CycleLock
    journal_path: Path
    open_target: Callable[[], Target]
    clock: Clock
    sleep: Callable[[float], None]
    grace_ms: int
    limits: SweepLimits = field(default_factory=SweepLimits)
    lock_wait_s: float = 2.0


@dataclass(slots=True)
class KillReport:
    """What a kill did.

    Attributes:
        latched: the latch file says `frozen`. ended: pids of cycles that were ended.
        left: what could not be confirmed; empty when everything was. notes: worth knowing.
        cancelled, fills: in words. recorded: where it was written down.
    """

    latched: bool = False
    ended: tuple[int, ...] = ()
    left: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])
    cancelled: list[str] = field(default_factory=list[str])
    fills: list[str] = field(default_factory=list[str])
    recorded: str = ""
    rounds: int = 0
    took_ms: int = 0

    @property
    def confirmed(self) -> bool:
        """Latched, and the venue itself showed twice that nothing is open."""
        return self.latched and not self.left

    @property
    def exit_code(self) -> ExitCode:
        """OK or NOT_CONFIRMED."""
        return ExitCode.OK if self.confirmed else ExitCode.NOT_CONFIRMED

    def row(self) -> dict[str, Any]:
        """As JSON-able data."""
        return {
            "confirmed": self.confirmed,
            "latched": self.latched,
            "ended": list(self.ended),
            "left": self.left,
            "notes": self.notes,
            "cancelled": self.cancelled,
            "fills": self.fills,
            "recorded": self.recorded,
            "rounds": self.rounds,
            "took_ms": self.took_ms,
        }


def kill_all(setup: KillSetup, why: str, by: str) -> KillReport:
    """Latch, end the running cycle, cancel every order at the venue, confirm, write down.

    Raises nothing for what the venue, the journal or the policy do: all of it is in the report.
    """
    began_ms = setup.clock.now_ms()
    report = KillReport()
    _latch(setup, report, why, by, began_ms)
    _end_cycle(setup, report)
    state = _read_state(setup, report)
    swept = _sweep(setup, report, state)
    if swept is not None:
        report.left += swept.left
        report.notes += swept.notes
        report.cancelled = swept.cancelled
        report.fills = [
            f"{fill.symbol} {fill.side} {fill.qty} at {fill.price}, trade {fill.trade_id}"
            for fill in swept.fills
        ]
        report.rounds = swept.rounds
    report.took_ms = setup.clock.now_ms() - began_ms
    halt = {"level": LEVEL, "why": why, "by": by, "at_ms": began_ms}
    _write_down(setup, report, swept, halt)
    return report


def _latch(setup: KillSetup, report: KillReport, why: str, by: str, at_ms: int) -> None:
    try:
        setup.latch.set(LEVEL, why, by, at_ms)
    except JournalError as error:
        report.left.append(str(error))
    standing = setup.latch.read()
    report.latched = standing is not None and standing.level == LEVEL


def _end_cycle(setup: KillSetup, report: KillReport) -> None:
    """A process stopped between its last check and its send beats every latch: it is ended."""
    before = setup.lock.holder()
    try:
        held_before = setup.lock.is_held()
        if not held_before:
            return
        report.ended = setup.lock.end_holder()
        held_after = setup.lock.is_held()
    except JournalError as error:
        report.notes.append(f"the cycle lock cannot be looked at: {error}")
        return
    after = setup.lock.holder()
    # A cycle that starts from now on finds the latch set and sends nothing.
    if held_after and (before is None or before == after):
        who = f"process {before}" if before is not None else "a process that cannot be named"
        report.left.append(f"the running cycle could not be ended: {who} holds the lock")


def _read_state(setup: KillSetup, report: KillReport) -> State | None:
    """The account as the journal has it; None when it cannot be read."""
    if not setup.journal_path.exists():
        report.notes.append(f"there is no journal at {setup.journal_path}")
        return None
    try:
        with Journal.open(setup.journal_path, read_only=True, busy_ms=JOURNAL_BUSY_MS) as journal:
            return journal.state
    except (JournalError, ValueError, KeyError) as error:
        report.notes.append(f"the journal cannot be read: {error}")
        return None


def _sweep(setup: KillSetup, report: KillReport, state: State | None) -> Swept | None:
    try:
        target = setup.open_target()
    except TraderError as error:
        report.left.append(f"the venue cannot be asked: {error}")
        return None
    orders = [] if state is None else list(state.orders.values())
    working = [order for order in orders if order.working]
    known = {*target.symbols, *(order.symbol for order in orders)}
    if state is not None:
        known |= set(state.instruments)
    sweeper = Sweeper(
        target.venue, sorted(known), working, setup.clock.now_ms, setup.sleep, setup.limits
    )
    in_flight = bool(report.ended or working or state is None)
    return sweeper.run(in_flight=in_flight, must_list=state is None)


# --- writing down --------------------------------------------------------------------------------


def _write_down(
    setup: KillSetup, report: KillReport, swept: Swept | None, halt: dict[str, Any]
) -> None:
    """The halt and what the venue told, in the journal; else in the kill's own file."""
    try:
        if not _in_journal(setup, report, swept, halt):
            report.notes.append("a cycle holds the lock: the next one books what the venue told")
        return
    except (JournalError, ValueError, KeyError) as error:
        report.notes.append(f"the journal cannot be written: {error}")
    path = setup.journal_path.with_name(LOG_NAME)
    try:
        append_line(path, {"halt": halt, "report": report.row()})
        report.recorded = str(path)
    except OSError as error:
        report.notes.append(f"{path} cannot be written either: {error.strerror}")


def _in_journal(
    setup: KillSetup, report: KillReport, swept: Swept | None, halt: dict[str, Any]
) -> bool:
    """The halt entry always; the venue's facts only under the lock. False: without the lock."""
    try:
        with _held(setup):
            _append(setup, report, swept, halt)
        return True
    except LockHeld:
        _append(setup, report, None, halt)
        return swept is None


def _held(setup: KillSetup) -> AbstractContextManager[None]:
    """The lock, waited for: a cycle that the timer just started sees the latch and ends soon."""
    waited_s, pause_s = 0.0, 0.05
    while setup.lock.is_held() and waited_s < setup.lock_wait_s:
        setup.sleep(pause_s)
        waited_s += pause_s
    return setup.lock.hold()


def _append(
    setup: KillSetup, report: KillReport, swept: Swept | None, halt: dict[str, Any]
) -> None:
    with Journal.open(setup.journal_path, busy_ms=JOURNAL_BUSY_MS) as journal:
        seq = journal.append("halt", halt, halt["at_ms"])
        report.recorded = f"{setup.journal_path} entry {seq}"
        if swept is None:
            return
        at_ms = swept.venue_ms or setup.clock.now_ms()
        answers = [answer for answer in swept.answers if answer.order is not None]
        if swept.venue_ms and not swept.left:
            # Only a complete reading may conclude that an order never arrived.
            answers = swept.answers
        report.notes += settle(journal, answers, swept.fills, at_ms, setup.grace_ms)


def append_line(path: Path, row: dict[str, Any]) -> None:
    """Append one line of JSON, durably. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, canonical(row).encode() + b"\n")
        os.fsync(fd)
    finally:
        os.close(fd)


# --- status and the way back ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class KillStatus:
    """What halts the account now.

    Attributes:
        level: the graver of latch and journal. latch: as it stands, None when not set.
        journal_level, journal_why, journal_by: of the journal; level "" when it cannot be read.
        log_lines: records of kills that could not be written into the journal.
    """

    level: str
    latch: LatchReading | None
    journal_level: str
    journal_why: str
    journal_by: str
    log_lines: int

    def row(self) -> dict[str, Any]:
        """As JSON-able data."""
        latch = self.latch
        fields = ("level", "why", "by", "at_ms")
        return {
            "level": self.level,
            "latch": None if latch is None else {name: getattr(latch, name) for name in fields},
            "journal": {
                "level": self.journal_level,
                "why": self.journal_why,
                "by": self.journal_by,
            },
            "log_lines": self.log_lines,
        }


def kill_status(latch: LatchFile, journal: Journal | None, journal_path: Path) -> KillStatus:
    """What halts the account, from files alone. `journal` None: it cannot be read."""
    standing = latch.read()
    level = "" if journal is None else journal.state.word("halt_level")
    levels = [standing.level if standing else "running", level or "running"]
    return KillStatus(
        max(levels, key=HALT_LEVELS.index),
        standing,
        level,
        "" if journal is None else journal.state.word("halt_why"),
        "" if journal is None else journal.state.word("halt_by"),
        len(read_log(journal_path.with_name(LOG_NAME))),
    )


def read_log(path: Path) -> list[dict[str, Any]]:
    """The records of a kill.log, oldest first; a line that is cut or broken is left out."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return []
    records: list[dict[str, Any]] = []
    for line in lines:
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict):
            records.append(row)  # pyright: ignore[reportUnknownArgumentType] - plain JSON
    return records


def resume(latch: LatchFile, journal: Journal, by: str, reason: str, now_ms: int) -> bool:
    """Run again, by a named human with a reason; False when nothing was halted.

    The entry is committed before the latch goes, so that a crash in between leaves it halted.
    Raises UsageError without a name or a reason, JournalError.
    """
    by, reason = named_human(by, reason)
    if latch.read() is None and journal.state.word("halt_level") == HALT_LEVELS[0]:
        return False
    entry = {"level": HALT_LEVELS[0], "why": reason, "by": by, "at_ms": now_ms}
    journal.append("resume", entry, now_ms)
    latch.clear(by, reason, now_ms)
    return True


def named_human(by: str, reason: str) -> tuple[str, str]:
    """Who and why, trimmed; raises UsageError when one of them is missing."""
    by, reason = by.strip(), reason.strip()
    if not by or not reason:
        raise UsageError(
            "only a named human does this, with a reason", "give both --by NAME and --reason TEXT"
        )
    return by, reason
