"""Gates: whether a sized order may leave. All are asked, in this order; the first no decides.

Lives here: one small function per gate over the plain integers of `GateView`, and `approve`, the
only maker of an `Approved` from a proposal. Gates that guard new risk are not asked for exits:
only sanity and `frozen` may stop one. A gate that cannot be evaluated refuses. Must not live here:
sizes, and where the numbers come from.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Callable, Iterator
from typing import NamedTuple

from trader.core import account_gates, book_gates, order_gates, risk_gates, time_gates
from trader.core.account_gates import AccountSums, Measure
from trader.core.approval import Approved, Proposal, Refused, seal_approved
from trader.core.book_gates import BookSums
from trader.core.identity import client_order_id
from trader.core.limits import Limits
from trader.core.money import AMOUNT_MAX, price_down, price_up
from trader.core.order_gates import OrderSums
from trader.core.parameters import Parameters
from trader.core.risk_gates import RiskSums
from trader.core.scale import Spec
from trader.core.tier_gates import TierSums, tier_positions, tier_weight
from trader.core.time_gates import TimeSums
from trader.domain.order import Side


class GateView:
    """One proposal and what surrounds it, as integers.

    Attributes:
        is_entry, is_buy: 1 or 0. price_ticks, qty_lots: of the proposal.
        bid_ticks, ask_ticks: 0 when there is none. quote_age_ms: negative: from the future.
        close_ticks: independent reference, the last close; 0 when there is none.
        before_ticks: the close one bar earlier; 0 when there is none.
        worst_ticks: the worst price that the size was computed for; 0 for an exit.
        slippage_ppm: the cap of this attempt.
        halt_rank: 0 running .. 3 frozen. mismatches: number of unexplained differences.
        unresolved, working_entries: orders on this instrument. held_lots: sellable lots held.
        shadow: 1 when the strategy only watches, `shadow_why`: why, where policy does not say so.
        may_add: 1 when it may add to what it holds.
        owner_other: 1 when another strategy owns the instrument, whose name is `owner`.
        positions: open or being opened, other instruments than this one.
        notional_units, cost_units: of this order, cost with fee. cash_units: free of what is in
            flight. exposure_units: held and in flight on this instrument, before this order.
        sums: of the account and the strategy's budget, this entry included. tier: of its tier.
        order, risk, times, book: see the modules of these gates.
    """

    __slots__ = (
        "active",
        "ask_ticks",
        "before_ticks",
        "bid_ticks",
        "book",
        "cash_units",
        "close_ticks",
        "cost_units",
        "enabled",
        "exposure_units",
        "halt_rank",
        "held_lots",
        "is_buy",
        "is_entry",
        "limits",
        "may_add",
        "mismatches",
        "notional_units",
        "order",
        "own_notional_units_min",
        "owner",
        "owner_other",
        "position_cap_units",
        "positions",
        "price_ticks",
        "qty_lots",
        "qty_lots_max",
        "qty_lots_min",
        "quote_age_ms",
        "risk",
        "shadow",
        "shadow_why",
        "slippage_ppm",
        "sums",
        "tier",
        "times",
        "unresolved",
        "venue_notional_units_min",
        "working_entries",
        "worst_ticks",
    )

    def __init__(self, proposal: Proposal, spec: Spec, limits: Limits) -> None:
        """With everything that refuses by default until the caller has filled it in."""
        self.limits = limits
        self.is_buy = 1 if proposal.side is Side.BUY else 0
        self.is_entry = self.is_buy
        self.price_ticks = proposal.price_ticks
        self.qty_lots = proposal.qty_lots
        self.active = 1 if spec.active else 0
        self.qty_lots_min = spec.qty_lots_min
        self.qty_lots_max = spec.qty_lots_max
        self.venue_notional_units_min = spec.notional_units_min
        self.own_notional_units_min = AMOUNT_MAX
        self.slippage_ppm = limits.slippage_ppm
        self.enabled = self.may_add = 0
        self.shadow = 1
        self.shadow_why = ""
        self.owner = ""
        self.bid_ticks = self.ask_ticks = self.close_ticks = self.before_ticks = 0
        self.worst_ticks = 0
        self.quote_age_ms = AMOUNT_MAX
        self.halt_rank = 3
        self.mismatches = self.unresolved = self.working_entries = self.owner_other = 1
        self.held_lots = self.positions = AMOUNT_MAX
        self.notional_units = self.cost_units = self.exposure_units = 0
        self.cash_units = 0
        self.position_cap_units = -1
        self.sums = AccountSums()
        self.tier = TierSums()
        self.order = OrderSums()
        self.risk = RiskSums()
        self.times = TimeSums()
        self.book = BookSums()


class Gate(NamedTuple):
    """A gate: its code, whether exits are asked too, its question, the unit of its numbers."""

    code: str
    for_exits: bool
    ask: Callable[[GateView], Measure]
    unit: str


class Answer(NamedTuple):
    """What one gate said: the limit and the measured value it compared."""

    code: str
    ok: bool
    limit: int
    measured: int
    unit: str


def _halt(view: GateView) -> Measure:
    # no_entries (1) and reduce_only (2) stop entries; only frozen (3) stops an exit.
    limit = 0 if view.is_entry else 2
    return view.halt_rank <= limit, limit, view.halt_rank


def _enabled(view: GateView) -> Measure:
    return view.enabled == 1, 1, view.enabled


def _shadow(view: GateView) -> Measure:
    return view.shadow == 0, 0, view.shadow


def _mismatch(view: GateView) -> Measure:
    return view.mismatches == 0, 0, view.mismatches


def _active(view: GateView) -> Measure:
    return view.active == 1, 1, view.active


def _quote_there(view: GateView) -> Measure:
    lowest = min(view.bid_ticks, view.ask_ticks)
    return lowest >= 1, 1, lowest


def _quote_uncrossed(view: GateView) -> Measure:
    return view.bid_ticks <= view.ask_ticks, view.ask_ticks, view.bid_ticks


def _quote_fresh(view: GateView) -> Measure:
    limit = view.limits.quote_age_ms_max
    return -limit <= view.quote_age_ms <= limit, limit, view.quote_age_ms


def _jump(view: GateView) -> Measure:
    before = view.before_ticks
    if before <= 0 or view.close_ticks <= 0:
        return False, 0, view.close_ticks
    up = price_up(before, view.limits.bar_jump_ppm_max)
    if view.close_ticks > up:
        return False, up, view.close_ticks
    down = price_down(before, view.limits.bar_jump_ppm_max)
    return view.close_ticks >= down, down, view.close_ticks


def _collar(view: GateView) -> Measure:
    if view.close_ticks <= 0:
        return False, 0, view.price_ticks
    up = price_up(view.close_ticks, view.limits.collar_ppm)
    if view.price_ticks > up:
        return False, up, view.price_ticks
    down = price_down(view.close_ticks, view.limits.collar_ppm)
    return view.price_ticks >= down, down, view.price_ticks


def _slippage(view: GateView) -> Measure:
    if view.is_buy:
        limit = price_up(view.ask_ticks, view.slippage_ppm) if view.ask_ticks > 0 else 0
        return 0 < view.price_ticks <= limit, limit, view.price_ticks
    limit = price_down(view.bid_ticks, view.slippage_ppm) if view.bid_ticks > 0 else 0
    return view.price_ticks >= limit > 0, limit, view.price_ticks


def _touch(view: GateView) -> Measure:
    return 0 < view.ask_ticks <= view.worst_ticks, view.worst_ticks, view.ask_ticks


def _unknown(view: GateView) -> Measure:
    return view.unresolved == 0, 0, view.unresolved


def _one_entry(view: GateView) -> Measure:
    return view.working_entries == 0, 0, view.working_entries


def _owner(view: GateView) -> Measure:
    return view.owner_other == 0, 0, view.owner_other


def _held(view: GateView) -> Measure:
    limit = AMOUNT_MAX if view.may_add == 1 else view.qty_lots_min - 1
    return view.held_lots <= limit, limit, view.held_lots


def _positions(view: GateView) -> Measure:
    limit = view.limits.positions_max
    return view.positions + 1 <= limit, limit, view.positions + 1


def _position_cap(view: GateView) -> Measure:
    after = view.exposure_units + view.notional_units
    return after <= view.position_cap_units, view.position_cap_units, after


def _cash(view: GateView) -> Measure:
    return 0 < view.cost_units <= view.cash_units, view.cash_units, view.cost_units


def _qty_min(view: GateView) -> Measure:
    return view.qty_lots >= view.qty_lots_min, view.qty_lots_min, view.qty_lots


def _qty_max(view: GateView) -> Measure:
    return view.qty_lots <= view.qty_lots_max, view.qty_lots_max, view.qty_lots


def _notional(view: GateView) -> Measure:
    limit = view.venue_notional_units_min
    if view.is_entry:
        limit = max(limit, view.own_notional_units_min)
    return view.notional_units >= limit, limit, view.notional_units


def _tier_positions(view: GateView) -> Measure:
    return tier_positions(view.tier)


def _tier_weight(view: GateView) -> Measure:
    return tier_weight(view.tier)


def _of_sums(ask: Callable[[AccountSums], Measure]) -> Callable[[GateView], Measure]:
    return lambda view: ask(view.sums)


def _of_times(ask: Callable[[TimeSums], Measure]) -> Callable[[GateView], Measure]:
    return lambda view: ask(view.times)


def _of_order(ask: Callable[[OrderSums], Measure]) -> Callable[[GateView], Measure]:
    return lambda view: ask(view.order)


def _of_risk(ask: Callable[[RiskSums], Measure]) -> Callable[[GateView], Measure]:
    return lambda view: ask(view.risk)


def _risk_words(say: Callable[[RiskSums], str]) -> Callable[[GateView], str]:
    return lambda view: say(view.risk)


def _of_book(ask: Callable[[BookSums], Measure]) -> Callable[[GateView], Measure]:
    return lambda view: ask(view.book)


def _owned_by(view: GateView) -> str:
    return f"owner={view.owner}"


GATES: tuple[Gate, ...] = (
    Gate("HALT_LEVEL", True, _halt, "rank"),
    Gate("HASH_UNAPPROVED", False, _of_risk(risk_gates.approved), "count"),
    Gate("CLOCK_SKEW", False, _of_order(order_gates.clock_skew), "ms"),
    Gate("VENUE_DEGRADED", False, _of_risk(risk_gates.venue), "ms"),
    Gate("STRATEGY_OFF", False, _enabled, "flag"),
    Gate("STRATEGY_SHADOW", False, _shadow, "flag"),
    Gate("BOOKS_MISMATCH", False, _mismatch, "count"),
    Gate("INSTRUMENT_INACTIVE", True, _active, "flag"),
    Gate("RESTRICTED", False, _of_order(order_gates.restricted), "count"),
    Gate("SESSION_CLOSED", False, _of_times(time_gates.session), "utc_ms"),
    Gate("BLACKOUT", False, _of_times(time_gates.blackout), "utc_ms"),
    Gate("DATA_JUMP", False, _jump, "ticks"),
    Gate("DATA_REPAINTED", False, _of_order(order_gates.data_repainted), "ppm"),
    Gate("QUOTE_MISSING", True, _quote_there, "ticks"),
    Gate("QUOTE_CROSSED", True, _quote_uncrossed, "ticks"),
    Gate("QUOTE_OLD", True, _quote_fresh, "ms"),
    Gate("SPREAD", False, _of_order(order_gates.spread), "ppm"),
    Gate("PRICE_COLLAR", False, _collar, "ticks"),
    Gate("COLLAR_WINDOW", False, _of_order(order_gates.collar_window), "ticks"),
    Gate("SLIPPAGE_CAP", True, _slippage, "ticks"),
    Gate("TOUCH_MOVED", False, _touch, "ticks"),
    Gate("SHORT", True, _of_order(order_gates.short), "lots"),
    Gate("OWNED_BY_OTHER", False, _owner, "flag"),
    Gate("DUPLICATE_INTENT", False, _of_risk(risk_gates.duplicate), "count"),
    Gate("SELF_CROSS", False, _of_order(order_gates.self_cross), "ticks"),
    Gate("OUTCOME_UNKNOWN", False, _unknown, "count"),
    Gate("ORDER_WORKING", False, _one_entry, "count"),
    Gate("ALREADY_HELD", False, _held, "lots"),
    Gate("POSITIONS_MAX", False, _positions, "count"),
    Gate("POSITION_CAP", False, _position_cap, "cash"),
    Gate("COOLDOWN", False, _of_times(time_gates.cooldown), "utc_ms"),
    Gate("DAY_STOP", False, _of_sums(account_gates.day_stop), "cash"),
    Gate("ROLLING_LOSS", False, _of_book(book_gates.rolling_loss), "cash"),
    Gate("DRAWDOWN_STOP", False, _of_sums(account_gates.drawdown), "cash"),
    Gate("STRATEGY_DRAWDOWN", False, _of_book(book_gates.strategy_drawdown), "cash"),
    Gate("UNATTENDED", False, _of_book(book_gates.unattended), "count"),
    Gate("TRADES_HOUR", False, _of_sums(account_gates.trades_hour), "count"),
    Gate("TRADES_DAY", False, _of_sums(account_gates.trades_day), "count"),
    Gate("MESSAGES", False, _of_risk(risk_gates.messages), "count"),
    Gate("ASSET_EXPOSURE", False, _of_risk(risk_gates.asset_exposure), "cash"),
    Gate("EXPOSURE_TOTAL", False, _of_sums(account_gates.exposure_total), "cash"),
    Gate("PENDING_EXPOSURE", False, _of_risk(risk_gates.pending_exposure), "cash"),
    Gate("CORRELATED_EXPOSURE", False, _of_risk(risk_gates.correlated_exposure), "cash"),
    Gate("LOSS_TOTAL", False, _of_sums(account_gates.loss_total), "cash"),
    Gate("VALUE_AT_RISK", False, _of_risk(risk_gates.value_at_risk), "cash"),
    Gate("BUDGET_EXPOSURE", False, _of_sums(account_gates.budget_exposure), "cash"),
    Gate("BUDGET_LOSS", False, _of_sums(account_gates.budget_loss), "cash"),
    Gate("BUDGET_POSITIONS", False, _of_sums(account_gates.budget_positions), "count"),
    Gate("BUDGET_TRADES_DAY", False, _of_sums(account_gates.budget_trades_day), "count"),
    Gate("TIER_POSITIONS", False, _tier_positions, "count"),
    Gate("TIER_WEIGHT", False, _tier_weight, "cash"),
    Gate("CASH", False, _cash, "cash"),
    Gate("CAPITAL", False, _of_risk(risk_gates.capital), "cash"),
    Gate("ORDER_VALUE", False, _of_order(order_gates.order_value), "cash"),
    Gate("ORDER_VALUE_HOME", False, _of_order(order_gates.order_value_home), "cash"),
    Gate("ORDER_QTY", False, _of_order(order_gates.order_qty), "lots"),
    Gate("VOLUME_SHARE", False, _of_order(order_gates.volume_share), "lots"),
    Gate("DEPTH_SHARE", False, _of_order(order_gates.depth_share), "lots"),
    Gate("QTY_MIN", True, _qty_min, "lots"),
    Gate("QTY_MAX", True, _qty_max, "lots"),
    Gate("NOTIONAL_MIN", True, _notional, "cash"),
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
    numbers = array("q")
    refused = -1
    for index, gate in enumerate(gates):
        try:
            ok, limit, measured = gate.ask(view)
            numbers.extend((1 if ok else 0, limit, measured))
        except OverflowError:
            ok = False
            del numbers[3 * index :]
            numbers.extend((0, -1, -1))
        if not ok and refused < 0:
            refused = index
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
