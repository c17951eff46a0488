"""Gates: whether a sized order may leave. All are asked, in this order; the first no decides.

Lives here: the table of gates, what they answered, and `approve`, the only maker of an `Approved`
from a proposal. Gates that guard new risk are not asked for exits: only sanity and `frozen` may
stop one. A gate that cannot be evaluated refuses. Must not live here: the questions themselves
(`gate_view` and the `*_gates`), sizes, and where the numbers come from.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from trader.core import (
    account_gates,
    book_gates,
    gate_view,
    order_gates,
    risk_gates,
    tier_gates,
    time_gates,
)
from trader.core.account_gates import Measure
from trader.core.approval import Approved, Proposal, Refused, seal_approved
from trader.core.gate_view import GateView
from trader.core.identity import client_order_id
from trader.core.parameters import Parameters
from trader.core.risk_gates import RiskSums
from trader.core.scale import Spec

# Which numbers of a proposal a gate is asked about.
VIEW, SUMS, TIER, ORDER, RISK, TIMES, BOOK = range(7)


class Gate(NamedTuple):
    """A gate: its code, whether exits are asked too, the group of numbers that it is asked about,
    its question, the unit of its numbers."""

    code: str
    for_exits: bool
    group: int
    ask: Callable[[Any], Measure]
    unit: str


class Answer(NamedTuple):
    """What one gate said: the limit and the measured value it compared."""

    code: str
    ok: bool
    limit: int
    measured: int
    unit: str


def _owned_by(view: GateView) -> str:
    return f"owner={view.owner}"


def _risk_words(say: Callable[[RiskSums], str]) -> Callable[[GateView], str]:
    return lambda view: say(view.risk)


GATES: tuple[Gate, ...] = (
    Gate("HALT_LEVEL", True, VIEW, gate_view.halt_level, "rank"),
    Gate("HASH_UNAPPROVED", False, RISK, risk_gates.approved, "count"),
    Gate("CLOCK_SKEW", False, ORDER, order_gates.clock_skew, "ms"),
    Gate("VENUE_DEGRADED", False, RISK, risk_gates.venue, "ms"),
    Gate("STRATEGY_OFF", False, VIEW, gate_view.strategy_on, "flag"),
    Gate("STRATEGY_SHADOW", False, VIEW, gate_view.strategy_live, "flag"),
    Gate("BOOKS_MISMATCH", False, VIEW, gate_view.books_match, "count"),
    Gate("INSTRUMENT_INACTIVE", True, VIEW, gate_view.instrument_active, "flag"),
    Gate("RESTRICTED", False, ORDER, order_gates.restricted, "count"),
    Gate("SESSION_CLOSED", False, TIMES, time_gates.session, "utc_ms"),
    Gate("BLACKOUT", False, TIMES, time_gates.blackout, "utc_ms"),
    Gate("DATA_JUMP", False, VIEW, gate_view.data_jump, "ticks"),
    Gate("DATA_REPAINTED", False, ORDER, order_gates.data_repainted, "ppm"),
    Gate("QUOTE_MISSING", True, VIEW, gate_view.quote_there, "ticks"),
    Gate("QUOTE_CROSSED", True, VIEW, gate_view.quote_uncrossed, "ticks"),
    Gate("QUOTE_OLD", True, VIEW, gate_view.quote_fresh, "ms"),
    Gate("SPREAD", False, ORDER, order_gates.spread, "ppm"),
    Gate("PRICE_COLLAR", False, VIEW, gate_view.price_collar, "ticks"),
    Gate("COLLAR_WINDOW", False, ORDER, order_gates.collar_window, "ticks"),
    Gate("SLIPPAGE_CAP", True, VIEW, gate_view.slippage_cap, "ticks"),
    Gate("TOUCH_MOVED", False, VIEW, gate_view.touch_moved, "ticks"),
    Gate("SHORT", True, ORDER, order_gates.short, "lots"),
    Gate("OWNED_BY_OTHER", False, VIEW, gate_view.owner, "flag"),
    Gate("DUPLICATE_INTENT", False, RISK, risk_gates.duplicate, "count"),
    Gate("SELF_CROSS", False, ORDER, order_gates.self_cross, "ticks"),
    Gate("OUTCOME_UNKNOWN", False, VIEW, gate_view.outcome_unknown, "count"),
    Gate("ORDER_WORKING", False, VIEW, gate_view.order_working, "count"),
    Gate("ALREADY_HELD", False, VIEW, gate_view.already_held, "lots"),
    Gate("POSITIONS_MAX", False, VIEW, gate_view.positions_max, "count"),
    Gate("POSITION_CAP", False, VIEW, gate_view.position_cap, "cash"),
    Gate("COOLDOWN", False, TIMES, time_gates.cooldown, "utc_ms"),
    Gate("DAY_STOP", False, SUMS, account_gates.day_stop, "cash"),
    Gate("ROLLING_LOSS", False, BOOK, book_gates.rolling_loss, "cash"),
    Gate("DRAWDOWN_STOP", False, SUMS, account_gates.drawdown, "cash"),
    Gate("STRATEGY_DRAWDOWN", False, BOOK, book_gates.strategy_drawdown, "cash"),
    Gate("UNATTENDED", False, BOOK, book_gates.unattended, "count"),
    Gate("TRADES_HOUR", False, SUMS, account_gates.trades_hour, "count"),
    Gate("TRADES_DAY", False, SUMS, account_gates.trades_day, "count"),
    Gate("MESSAGES", False, RISK, risk_gates.messages, "count"),
    Gate("ASSET_EXPOSURE", False, RISK, risk_gates.asset_exposure, "cash"),
    Gate("EXPOSURE_TOTAL", False, SUMS, account_gates.exposure_total, "cash"),
    Gate("PENDING_EXPOSURE", False, RISK, risk_gates.pending_exposure, "cash"),
    Gate("CORRELATED_EXPOSURE", False, RISK, risk_gates.correlated_exposure, "cash"),
    Gate("LOSS_TOTAL", False, SUMS, account_gates.loss_total, "cash"),
    Gate("VALUE_AT_RISK", False, RISK, risk_gates.value_at_risk, "cash"),
    Gate("BUDGET_EXPOSURE", False, SUMS, account_gates.budget_exposure, "cash"),
    Gate("BUDGET_LOSS", False, SUMS, account_gates.budget_loss, "cash"),
    Gate("BUDGET_POSITIONS", False, SUMS, account_gates.budget_positions, "count"),
    Gate("BUDGET_TRADES_DAY", False, SUMS, account_gates.budget_trades_day, "count"),
    Gate("TIER_POSITIONS", False, TIER, tier_gates.tier_positions, "count"),
    Gate("TIER_WEIGHT", False, TIER, tier_gates.tier_weight, "cash"),
    Gate("CASH", False, VIEW, gate_view.cash, "cash"),
    Gate("CAPITAL", False, RISK, risk_gates.capital, "cash"),
    Gate("ORDER_VALUE", False, ORDER, order_gates.order_value, "cash"),
    Gate("ORDER_VALUE_HOME", False, ORDER, order_gates.order_value_home, "cash"),
    Gate("ORDER_QTY", False, ORDER, order_gates.order_qty, "lots"),
    Gate("VOLUME_SHARE", False, ORDER, order_gates.volume_share, "lots"),
    Gate("DEPTH_SHARE", False, ORDER, order_gates.depth_share, "lots"),
    Gate("QTY_MIN", True, VIEW, gate_view.qty_min, "lots"),
    Gate("QTY_MAX", True, VIEW, gate_view.qty_max, "lots"),
    Gate("NOTIONAL_MIN", True, VIEW, gate_view.notional_min, "cash"),
)


# What a refusal says besides its numbers, by code.
WORDS: dict[str, Callable[[GateView], str]] = {
    "OWNED_BY_OTHER": _owned_by,
    "RESTRICTED": lambda view: f"by={view.order.restricted_by or 'unknown'}",
    "ORDER_VALUE_HOME": lambda view: view.order.home_words,
    **{code: _risk_words(say) for code, say in risk_gates.WORDS.items()},
    "STRATEGY_SHADOW": lambda view: f"why={view.shadow_why}" if view.shadow_why else "",
    "COOLDOWN": lambda view: time_gates.cooldown_words(view.times),
    "SESSION_CLOSED": lambda view: time_gates.session_words(view.times),
    "BLACKOUT": lambda view: time_gates.blackout_words(view.times),
}
EXIT_GATES = tuple(gate for gate in GATES if gate.for_exits)
_LITTLE = array("q", [1]).tobytes()[0] == 1


class Answers:
    """Every gate's answer about one proposal, in order; rows are made when somebody looks.

    `numbers`: of each gate asked: 1 or 0, limit, measured. `refused`: index of the first no, -1
    when there is none.
    """

    __slots__ = ("gates", "numbers", "refused")

    def __init__(self, gates: tuple[Gate, ...], numbers: array[int], refused: int) -> None:
        """What `ask_all` heard."""
        self.gates = gates
        self.numbers = numbers
        self.refused = refused

    def __iter__(self) -> Iterator[Answer]:
        """One answer after another."""
        return (self.at(index) for index in range(len(self.gates)))

    def __len__(self) -> int:
        """How many gates were asked."""
        return len(self.gates)

    def at(self, index: int) -> Answer:
        """The answer of one gate."""
        gate, first = self.gates[index], 3 * index
        ok, limit, measured = (self.numbers[first + number] for number in range(3))
        return Answer(gate.code, ok == 1, limit, measured, gate.unit)

    def digest(self) -> str:
        """First 16 hex digits of the sha256 over all numbers, the same on any machine."""
        numbers = self.numbers
        if not _LITTLE:
            numbers = numbers[:]
            numbers.byteswap()
        return hashlib.sha256(numbers.tobytes()).hexdigest()[:16]


NO_ANSWERS = Answers((), array("q"), -1)


def ask_all(view: GateView) -> Answers:
    """Every gate's answer, in order; an overflow inside a gate is a no with limit -1."""
    gates = GATES if view.is_entry == 1 else EXIT_GATES
    groups = (view, view.sums, view.tier, view.order, view.risk, view.times, view.book)
    numbers = array("q", bytes(24 * len(gates)))
    cells = numbers
    refused = -1
    at = 0
    for _, _, group, ask, _ in gates:
        try:
            ok, limit, measured = ask(groups[group])
            cells[at + 1] = limit
            cells[at + 2] = measured
        except OverflowError:
            ok = False
            cells[at + 1] = -1
            cells[at + 2] = -1
        if ok:
            cells[at] = 1
        elif refused < 0:
            refused = at // 3
        at += 3
    return Answers(gates, numbers, refused)


def approve(
    proposal: Proposal, view: GateView, spec: Spec, parameters: Parameters
) -> tuple[Approved | Refused, Answers]:
    """Ask every gate; the first no makes a Refused, none makes an Approved."""
    answers = ask_all(view)
    if answers.refused >= 0:
        no = answers.at(answers.refused)
        detail = f"limit={no.limit} measured={no.measured} unit={no.unit}"
        words = WORDS[no.code](view) if no.code in WORDS else ""
        return Refused(proposal, no.code, f"{words} {detail}" if words else detail, words), answers
    client_id = client_order_id(
        parameters.prefix,
        parameters.account,
        proposal.strategy,
        proposal.symbol,
        bar_ms=proposal.bar_ms,
        leg=proposal.leg,
        attempt=proposal.attempt,
    )
    return seal_approved(proposal, client_id, spec), answers
