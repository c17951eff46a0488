# cython: boundscheck=False, wraparound=False, initializedcheck=False
"""The gates of an entry, asked one after another until the first no, in C numbers.

Lives here: the same questions in the same order as `gates.GATES`, called directly, because a table
of Python functions costs a hundred times what the questions cost. Only those that are in the table
are asked. Must not live here: the questions (`gate_view`, `*_gates`), and the order, which is the
table's: a test holds both to each other.
"""

from __future__ import annotations

from trader.core.account_gates import (
    budget_exposure,
    budget_loss,
    budget_positions,
    budget_trades_day,
    day_stop,
    drawdown,
    exposure_total,
    loss_total,
    trades_day,
    trades_hour,
)
from trader.core.book_gates import rolling_loss, strategy_drawdown, unattended
from trader.core.gate_view import (
    GateView,
    already_held,
    books_match,
    cash,
    data_jump,
    halt_level,
    instrument_active,
    notional_min,
    order_working,
    outcome_unknown,
    owner,
    position_cap,
    positions_max,
    price_collar,
    qty_max,
    qty_min,
    quote_fresh,
    quote_there,
    quote_uncrossed,
    slippage_cap,
    strategy_live,
    strategy_on,
    touch_moved,
)
from trader.core.gates import GATES, ask_all
from trader.core.lane_rows import Pair
from trader.core.order_gates import (
    clock_skew,
    collar_window,
    data_repainted,
    depth_share,
    order_qty,
    order_value,
    order_value_home,
    restricted,
    self_cross,
    short,
    spread,
    volume_share,
)
from trader.core.risk_gates import (
    approved,
    asset_exposure,
    capital,
    correlated_exposure,
    duplicate,
    messages,
    pending_exposure,
    value_at_risk,
    venue,
)
from trader.core.tier_gates import tier_positions, tier_weight
from trader.core.time_gates import blackout, cooldown, session

# Every gate that is asked here, in order.
CODES = (
    "HALT_LEVEL",
    "HASH_UNAPPROVED",
    "CLOCK_SKEW",
    "VENUE_DEGRADED",
    "STRATEGY_OFF",
    "STRATEGY_SHADOW",
    "BOOKS_MISMATCH",
    "INSTRUMENT_INACTIVE",
    "RESTRICTED",
    "SESSION_CLOSED",
    "BLACKOUT",
    "DATA_JUMP",
    "DATA_REPAINTED",
    "QUOTE_MISSING",
    "QUOTE_CROSSED",
    "QUOTE_OLD",
    "SPREAD",
    "PRICE_COLLAR",
    "COLLAR_WINDOW",
    "SLIPPAGE_CAP",
    "TOUCH_MOVED",
    "SHORT",
    "OWNED_BY_OTHER",
    "DUPLICATE_INTENT",
    "SELF_CROSS",
    "OUTCOME_UNKNOWN",
    "ORDER_WORKING",
    "ALREADY_HELD",
    "POSITIONS_MAX",
    "POSITION_CAP",
    "COOLDOWN",
    "DAY_STOP",
    "ROLLING_LOSS",
    "DRAWDOWN_STOP",
    "STRATEGY_DRAWDOWN",
    "UNATTENDED",
    "TRADES_HOUR",
    "TRADES_DAY",
    "MESSAGES",
    "ASSET_EXPOSURE",
    "EXPOSURE_TOTAL",
    "PENDING_EXPOSURE",
    "CORRELATED_EXPOSURE",
    "LOSS_TOTAL",
    "VALUE_AT_RISK",
    "BUDGET_EXPOSURE",
    "BUDGET_LOSS",
    "BUDGET_POSITIONS",
    "BUDGET_TRADES_DAY",
    "TIER_POSITIONS",
    "TIER_WEIGHT",
    "CASH",
    "CAPITAL",
    "ORDER_VALUE",
    "ORDER_VALUE_HOME",
    "ORDER_QTY",
    "VOLUME_SHARE",
    "DEPTH_SHARE",
    "QTY_MIN",
    "QTY_MAX",
    "NOTIONAL_MIN",
)


# Those whose numbers no entry of a lane changes: `lane_views` writes them once.
SETTLED = frozenset((
    "HALT_LEVEL", "HASH_UNAPPROVED", "CLOCK_SKEW", "VENUE_DEGRADED", "STRATEGY_OFF",
    "STRATEGY_SHADOW", "BOOKS_MISMATCH", "INSTRUMENT_INACTIVE", "RESTRICTED", "DATA_REPAINTED",
    "QUOTE_OLD", "SHORT", "DUPLICATE_INTENT", "OUTCOME_UNKNOWN", "ORDER_VALUE_HOME",
))  # fmt: skip


def asked_gates(view: GateView) -> memoryview:
    """One byte for each of CODES: whether it is to be asked of entries that `view` will show. Not
    those that are not in the table of gates, nor those that are settled by a yes now."""
    there = {gate.code for gate in GATES}
    settled = {said.code for said in ask_all(view) if said.ok and said.code in SETTLED}
    return memoryview(bytes(int(code in there - settled) for code in CODES))


def first_no(pair: Pair, view: GateView) -> int:
    """Index in CODES of the first gate that says no to what a pair's view shows, with its limit and
    its measure in the pair; -1 when none does. Raises OverflowError where a number does not fit."""
    refused = part_0(pair, view)
    if refused < 0:
        refused = part_1(pair, view)
    if refused < 0:
        refused = part_2(pair, view)
    if refused < 0:
        refused = part_3(pair, view)
    return refused


def tell(pair: Pair, index: int, limit: int, measured: int) -> int:
    """Write down what a gate compared; its index."""
    pair.said_limit = limit
    pair.said_measured = measured
    return index


def part_0(pair: Pair, view: GateView) -> int:
    """Gates 0 to 14."""
    order = view.order
    risk = view.risk
    times = view.times
    if pair.asked[0]:
        ok, limit, measured = halt_level(view)
        if not ok:
            return tell(pair, 0, limit, measured)
    if pair.asked[1]:
        ok, limit, measured = approved(risk)
        if not ok:
            return tell(pair, 1, limit, measured)
    if pair.asked[2]:
        ok, limit, measured = clock_skew(order)
        if not ok:
            return tell(pair, 2, limit, measured)
    if pair.asked[3]:
        ok, limit, measured = venue(risk)
        if not ok:
            return tell(pair, 3, limit, measured)
    if pair.asked[4]:
        ok, limit, measured = strategy_on(view)
        if not ok:
            return tell(pair, 4, limit, measured)
    if pair.asked[5]:
        ok, limit, measured = strategy_live(view)
        if not ok:
            return tell(pair, 5, limit, measured)
    if pair.asked[6]:
        ok, limit, measured = books_match(view)
        if not ok:
            return tell(pair, 6, limit, measured)
    if pair.asked[7]:
        ok, limit, measured = instrument_active(view)
        if not ok:
            return tell(pair, 7, limit, measured)
    if pair.asked[8]:
        ok, limit, measured = restricted(order)
        if not ok:
            return tell(pair, 8, limit, measured)
    if pair.asked[9]:
        ok, limit, measured = session(times)
        if not ok:
            return tell(pair, 9, limit, measured)
    if pair.asked[10]:
        ok, limit, measured = blackout(times)
        if not ok:
            return tell(pair, 10, limit, measured)
    if pair.asked[11]:
        ok, limit, measured = data_jump(view)
        if not ok:
            return tell(pair, 11, limit, measured)
    if pair.asked[12]:
        ok, limit, measured = data_repainted(order)
        if not ok:
            return tell(pair, 12, limit, measured)
    if pair.asked[13]:
        ok, limit, measured = quote_there(view)
        if not ok:
            return tell(pair, 13, limit, measured)
    if pair.asked[14]:
        ok, limit, measured = quote_uncrossed(view)
        if not ok:
            return tell(pair, 14, limit, measured)
    return -1


def part_1(pair: Pair, view: GateView) -> int:
    """Gates 15 to 30."""
    order = view.order
    risk = view.risk
    times = view.times
    if pair.asked[15]:
        ok, limit, measured = quote_fresh(view)
        if not ok:
            return tell(pair, 15, limit, measured)
    if pair.asked[16]:
        ok, limit, measured = spread(order)
        if not ok:
            return tell(pair, 16, limit, measured)
    if pair.asked[17]:
        ok, limit, measured = price_collar(view)
        if not ok:
            return tell(pair, 17, limit, measured)
    if pair.asked[18]:
        ok, limit, measured = collar_window(order)
        if not ok:
            return tell(pair, 18, limit, measured)
    if pair.asked[19]:
        ok, limit, measured = slippage_cap(view)
        if not ok:
            return tell(pair, 19, limit, measured)
    if pair.asked[20]:
        ok, limit, measured = touch_moved(view)
        if not ok:
            return tell(pair, 20, limit, measured)
    if pair.asked[21]:
        ok, limit, measured = short(order)
        if not ok:
            return tell(pair, 21, limit, measured)
    if pair.asked[22]:
        ok, limit, measured = owner(view)
        if not ok:
            return tell(pair, 22, limit, measured)
    if pair.asked[23]:
        ok, limit, measured = duplicate(risk)
        if not ok:
            return tell(pair, 23, limit, measured)
    if pair.asked[24]:
        ok, limit, measured = self_cross(order)
        if not ok:
            return tell(pair, 24, limit, measured)
    if pair.asked[25]:
        ok, limit, measured = outcome_unknown(view)
        if not ok:
            return tell(pair, 25, limit, measured)
    if pair.asked[26]:
        ok, limit, measured = order_working(view)
        if not ok:
            return tell(pair, 26, limit, measured)
    if pair.asked[27]:
        ok, limit, measured = already_held(view)
        if not ok:
            return tell(pair, 27, limit, measured)
    if pair.asked[28]:
        ok, limit, measured = positions_max(view)
        if not ok:
            return tell(pair, 28, limit, measured)
    if pair.asked[29]:
        ok, limit, measured = position_cap(view)
        if not ok:
            return tell(pair, 29, limit, measured)
    if pair.asked[30]:
        ok, limit, measured = cooldown(times)
        if not ok:
            return tell(pair, 30, limit, measured)
    return -1


def part_2(pair: Pair, view: GateView) -> int:
    """Gates 31 to 45."""
    sums = view.sums
    risk = view.risk
    book = view.book
    if pair.asked[31]:
        ok, limit, measured = day_stop(sums)
        if not ok:
            return tell(pair, 31, limit, measured)
    if pair.asked[32]:
        ok, limit, measured = rolling_loss(book)
        if not ok:
            return tell(pair, 32, limit, measured)
    if pair.asked[33]:
        ok, limit, measured = drawdown(sums)
        if not ok:
            return tell(pair, 33, limit, measured)
    if pair.asked[34]:
        ok, limit, measured = strategy_drawdown(book)
        if not ok:
            return tell(pair, 34, limit, measured)
    if pair.asked[35]:
        ok, limit, measured = unattended(book)
        if not ok:
            return tell(pair, 35, limit, measured)
    if pair.asked[36]:
        ok, limit, measured = trades_hour(sums)
        if not ok:
            return tell(pair, 36, limit, measured)
    if pair.asked[37]:
        ok, limit, measured = trades_day(sums)
        if not ok:
            return tell(pair, 37, limit, measured)
    if pair.asked[38]:
        ok, limit, measured = messages(risk)
        if not ok:
            return tell(pair, 38, limit, measured)
    if pair.asked[39]:
        ok, limit, measured = asset_exposure(risk)
        if not ok:
            return tell(pair, 39, limit, measured)
    if pair.asked[40]:
        ok, limit, measured = exposure_total(sums)
        if not ok:
            return tell(pair, 40, limit, measured)
    if pair.asked[41]:
        ok, limit, measured = pending_exposure(risk)
        if not ok:
            return tell(pair, 41, limit, measured)
    if pair.asked[42]:
        ok, limit, measured = correlated_exposure(risk)
        if not ok:
            return tell(pair, 42, limit, measured)
    if pair.asked[43]:
        ok, limit, measured = loss_total(sums)
        if not ok:
            return tell(pair, 43, limit, measured)
    if pair.asked[44]:
        ok, limit, measured = value_at_risk(risk)
        if not ok:
            return tell(pair, 44, limit, measured)
    if pair.asked[45]:
        ok, limit, measured = budget_exposure(sums)
        if not ok:
            return tell(pair, 45, limit, measured)
    return -1


def part_3(pair: Pair, view: GateView) -> int:
    """Gates 46 to 60."""
    sums = view.sums
    tier = view.tier
    order = view.order
    risk = view.risk
    if pair.asked[46]:
        ok, limit, measured = budget_loss(sums)
        if not ok:
            return tell(pair, 46, limit, measured)
    if pair.asked[47]:
        ok, limit, measured = budget_positions(sums)
        if not ok:
            return tell(pair, 47, limit, measured)
    if pair.asked[48]:
        ok, limit, measured = budget_trades_day(sums)
        if not ok:
            return tell(pair, 48, limit, measured)
    if pair.asked[49]:
        ok, limit, measured = tier_positions(tier)
        if not ok:
            return tell(pair, 49, limit, measured)
    if pair.asked[50]:
        ok, limit, measured = tier_weight(tier)
        if not ok:
            return tell(pair, 50, limit, measured)
    if pair.asked[51]:
        ok, limit, measured = cash(view)
        if not ok:
            return tell(pair, 51, limit, measured)
    if pair.asked[52]:
        ok, limit, measured = capital(risk)
        if not ok:
            return tell(pair, 52, limit, measured)
    if pair.asked[53]:
        ok, limit, measured = order_value(order)
        if not ok:
            return tell(pair, 53, limit, measured)
    if pair.asked[54]:
        ok, limit, measured = order_value_home(order)
        if not ok:
            return tell(pair, 54, limit, measured)
    if pair.asked[55]:
        ok, limit, measured = order_qty(order)
        if not ok:
            return tell(pair, 55, limit, measured)
    if pair.asked[56]:
        ok, limit, measured = volume_share(order)
        if not ok:
            return tell(pair, 56, limit, measured)
    if pair.asked[57]:
        ok, limit, measured = depth_share(order)
        if not ok:
            return tell(pair, 57, limit, measured)
    if pair.asked[58]:
        ok, limit, measured = qty_min(view)
        if not ok:
            return tell(pair, 58, limit, measured)
    if pair.asked[59]:
        ok, limit, measured = qty_max(view)
        if not ok:
            return tell(pair, 59, limit, measured)
    if pair.asked[60]:
        ok, limit, measured = notional_min(view)
        if not ok:
            return tell(pair, 60, limit, measured)
    return -1
