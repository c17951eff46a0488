"""Accounts that live for some hours at the local exchange, in this process: the proof of parity.

Lives here: starting exchange and account, one cycle after another, and what may be planted on the
way: faults of the venue, of the data, of people, and decisions made by altered code. Must not live
here: what parity has to say about any of it (`parity`).
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import rehearsal

from trader import wiring
from trader.app.cycle import run_cycle
from trader.app.flows import Told, check_flow, record_flow
from trader.app.leaving import ask_exit
from trader.app.ports import Venue
from trader.app.resumes import resume_entries
from trader.app.stopping import stop_entries
from trader.errors import TraderError
from trader.exchange.server import ExchangeConfig, RunningExchange, serve_in_thread
from trader.journal.journal import Journal

MINUTE_MS = rehearsal.MINUTE_MS
ORDER = {"method": "POST", "path": "/api/v3/order", "times": 1}
KLINES = {"method": "GET", "path": "/api/v3/klines"}
SETTLE_MS = 5_000
TURNS = 4


@dataclass
class Life:
    """One account at one exchange.

    Attributes:
        bar_ms: the decision bar of the next cycle. skew_ms: how far this host's clock is ahead.
        exits: how the cycles ended that did not end well.
    """

    served: RunningExchange
    clock: rehearsal.HandClock
    setup: wiring.Setup
    venue: Venue
    journal: Journal
    bar_ms: int
    skew_ms: int = 0
    exits: list[str] = field(default_factory=list[str])

    @property
    def turn(self) -> int:
        """What the flipper does on the next bar: 0 enters, 2 leaves."""
        return self.bar_ms // MINUTE_MS % TURNS

    @property
    def now_ms(self) -> int:
        """When the next cycle runs."""
        return self.bar_ms + MINUTE_MS + SETTLE_MS

    def cycle(self, *, runs: bool = True) -> int:
        """The next bar; `runs`: false when nobody is there to decide it. Returns its open time."""
        bar_ms = self.bar_ms
        self.served.admin.set_clock(self.now_ms, rate="1")
        self.clock.jump(self.now_ms + self.skew_ms)
        if runs:
            try:
                run_cycle(self.setup.run, self.venue, self.journal)
            except TraderError as error:
                self.exits.append(f"bar {bar_ms}: {error}")
        self.bar_ms += MINUTE_MS
        return bar_ms

    def until(self, turn: int) -> None:
        """Cycles until the next bar has this turn."""
        while self.turn != turn:
            self.cycle()


@contextmanager
def living(
    folder: Path,
    bars: Sequence[str],
    strategies: str,
    limits: str,
    *,
    seed: int,
    start_ms: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Generator[Life]:
    """An account with fresh books at an exchange in threads of this process."""
    folder.mkdir(parents=True)
    symbols = [spec.rpartition("=")[2].removesuffix("USDT") + "/USDT" for spec in bars]
    rehearsal.write_config(folder, strategies, symbols, limits, "1m")
    config = ExchangeConfig(
        bars=list(bars),
        seed=seed,
        now_ms=start_ms,
        warm_bars=600,
        key=rehearsal.KEY,
        secret=rehearsal.SECRET,
        admin_token="rehearsal-admin",  # noqa: S106 - on loopback, of this process
    )
    with ExitStack() as open_:
        served = open_.enter_context(serve_in_thread(config))
        clock = rehearsal.HandClock()
        told = rehearsal.environment(served.base_url, **(env or {}))
        setup = rehearsal.load(folder, told, clock)
        journal = open_.enter_context(wiring.open_journal(setup, create=True))
        now_ms = int(served.admin.clock()["now_ms"])
        bar_ms = now_ms // MINUTE_MS * MINUTE_MS
        yield Life(served, clock, setup, wiring.open_venue(setup), journal, bar_ms)


# --- what goes wrong ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planted:
    """Something that goes wrong on one bar.

    Attributes:
        cause: what parity must call it. turn: on which bar. before: what is done to bring it about.
        after: what ends it, once `lasts` cycles have passed. runs: whether the cycle runs. bars:
            within how many bars it must show.
    """

    name: str
    cause: str
    turn: int
    before: Callable[[Life], Any]
    after: Callable[[Life], Any] = lambda _: None
    runs: bool = True
    bars: int = 1
    lasts: int = 1


def planted() -> tuple[Planted, ...]:
    """Everything that is planted, each once."""
    no = '{"code":-2010,"msg":"Account has insufficient balance for requested action."}'
    refused = {"name": "answer", "status": 400, "body": no}
    return (
        Planted("time-out after submit", "UNKNOWN_OUTCOME", 0, _fault(ORDER, "drop_after")),
        Planted("order rejected", "REJECTED", 0, _fault(ORDER, refused)),
        Planted("fills lost", "LATE_FILL", 0, _lose_fills, _mood(trades_lag_ms=0), lasts=2),
        Planted("partial fill", "PARTIAL_FILL", 0, _depth("0.0001"), _depth("1")),
        Planted("cycle missed", "MISSED_CYCLE", 1, lambda _: None, runs=False),
        Planted("entry missed", "MISSED_CYCLE", 0, lambda _: None, runs=False),
        Planted("venue down", "MISSED_CYCLE", 0, _down),
        Planted("candle repainted", "BAR_REPAINTED", 1, _repaint),
        Planted("candle late", "BAR_LATE", 0, _freeze, _mood(candles_frozen_ms=0)),
        Planted("entries halted", "HALT", 0, _halt, _go_on),
        Planted("latch set", "HALT", 0, _latch, _unlatch),
        Planted("deposit", "FLOW", 3, _deposit, bars=2),
        Planted("exit asked", "EXIT_ASKED", 1, _leave, bars=2),
        Planted("clock skew", "CLOCK_SKEW", 0, _skew(-3_000), _skew(0)),
    )  # fmt: skip


def plant(life: Life, what: Planted) -> int:
    """Bring it about on the next bar of its turn, and let three bars pass; returns that bar."""
    life.until(what.turn)
    what.before(life)
    bar_ms = life.cycle(runs=what.runs)
    for passed in range(1, TURNS):
        if passed == what.lasts:
            what.after(life)
            life.served.admin.clear_faults()
        life.cycle()
    return bar_ms


def _fault(where: Mapping[str, Any], action: Any) -> Callable[[Life], Any]:
    return lambda life: life.served.admin.faults([{**where, "action": action}])


def _mood(**changes: Any) -> Callable[[Life], Any]:
    return lambda life: life.served.admin.moods(**changes)


def _depth(times: str) -> Callable[[Life], None]:
    """So little offered that an order takes all of it."""

    def change(life: Life) -> None:
        for market in life.served.engine.markets.values():
            market.depth = Decimal(times)

    return change


def _lose_fills(life: Life) -> None:
    """The answer to a submit names no fills, and for a while no read does."""
    edit = {"op": "set", "at": ["fills"], "value": []}
    _fault(ORDER, {"name": "edit", "edit": [edit]})(life)
    life.served.admin.moods(trades_lag_ms=10 * MINUTE_MS)


def _down(life: Life) -> None:
    life.served.admin.faults([{"path": "/api/.*", "action": "html_502"}])


def _repaint(life: Life) -> None:
    """The bar that has just closed is told with another close, once."""
    market = next(iter(life.served.engine.markets.values()))
    bar = market.series.bar(market.series.index_at(life.bar_ms))
    close = bar.low if bar.close != bar.low else bar.high
    edit = {"op": "set", "at": [-2, 4], "value": format(close, "f")}
    _fault(KLINES, {"name": "edit", "edit": [edit]})(life)


def _freeze(life: Life) -> None:
    life.served.admin.moods(candles_frozen_ms=life.bar_ms - 1)


def _halt(life: Life) -> None:
    stop_entries(life.journal, "ann", "planted", life.now_ms)


def _go_on(life: Life) -> None:
    resume_entries(life.journal, "running", "ann", "planted", life.now_ms)


def _latch(life: Life) -> None:
    life.setup.latch.set("no_entries", "planted", "ann", life.now_ms)


def _unlatch(life: Life) -> None:
    life.setup.latch.clear("ann", "planted", life.now_ms)


def _deposit(life: Life) -> None:
    life.served.admin.deposit("USDT", "250")
    told = Told("deposit", "250")
    payload = check_flow(life.journal.state, told, "ann", "planted", life.now_ms)
    record_flow(life.journal, payload)


def _leave(life: Life) -> None:
    ask_exit(life.journal, "*", "ann", "planted", life.now_ms)


def _skew(ms: int) -> Callable[[Life], None]:
    def change(life: Life) -> None:
        life.skew_ms = ms

    return change


# --- decisions made by altered code ---------------------------------------------------------------


@dataclass(frozen=True)
class Altered:
    """Code that decides otherwise: `place` is replaced while the account lives; `env`: a policy
    under which that shows."""

    name: str
    place: str
    made: Callable[[Any], Any]
    env: Mapping[str, str] = field(default_factory=dict[str, str])


def _without(code: str) -> Callable[[Any], Any]:
    return lambda gates: tuple(gate for gate in gates if gate.code != code)


def _changed_leg(name: str, by: int) -> Callable[[Any], Any]:
    """The plan's entry with another number in its legs than was decided."""

    def wrap(honest: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
        def told(plan: Any) -> dict[str, Any]:
            payload = honest(plan)
            legs = [{**leg, name: int(leg[name]) + by} for leg in payload["legs"]]
            return {**payload, "legs": legs}

        return told

    return wrap


def _nothing(_honest: Any) -> Callable[..., None]:
    return lambda *_: None


GATES = "trader.core.gates.GATES"
ALTERED = (
    Altered("gate TRADES_HOUR removed", GATES, _without("TRADES_HOUR"),
            {"POLICY__LIMITS__TRADES_PER_HOUR_MAX": "2",
             "POLICY__LIMITS__TRADES_PER_DAY_MAX": "48"}),
    Altered("gate ORDER_VALUE removed", GATES, _without("ORDER_VALUE"),
            {"POLICY__LIMITS__ORDER_VALUE_MAX": "100"}),
    Altered("gate COOLDOWN removed", GATES, _without("COOLDOWN"),
            {"POLICY__COOLDOWNS__EXIT": "30m"}),
    Altered("gate SPREAD removed", GATES, _without("SPREAD"),
            {"POLICY__LIMITS__SPREAD_MAX": "0.1bps"}),
    Altered("exits left out", "trader.core.plan.look_after", _nothing),
    Altered("one lot less in the plan", "trader.app.cycle.plan_payload",
            _changed_leg("qty_lots", -1)),
    Altered("another stop in the plan", "trader.app.cycle.plan_payload",
            _changed_leg("stop_ticks", 1)),
)  # fmt: skip


@contextmanager
def altered(what: Altered) -> Generator[None]:
    """Run with that code until the block ends."""
    module, _, name = what.place.rpartition(".")
    honest = getattr(__import__(module, fromlist=[name]), name)
    with mock.patch(what.place, what.made(honest)):
        yield
