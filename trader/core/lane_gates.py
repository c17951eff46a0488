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
from trader.core.gates import GATES
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


def asked_gates() -> memoryview:
    """One byte for each of CODES: whether it is in the table of gates."""
    there = {gate.code for gate in GATES}
    return memoryview(bytes(int(code in there) for code in CODES))


def first_no(asked: memoryview, view: GateView, said: memoryview) -> int:
    """Index in CODES of the first gate that says no, with its limit and its measure in `said`; -1
    when none does. Raises OverflowError where a number does not fit."""
    refused = part_0(asked, view, said)
    if refused < 0:
        refused = part_1(asked, view, said)
    if refused < 0:
        refused = part_2(asked, view, said)
    if refused < 0:
        refused = part_3(asked, view, said)
    return refused


def tell(said: memoryview, index: int, limit: int, measured: int) -> int:
    """Write down what a gate compared; its index."""
    said[0] = limit
    said[1] = measured
    return index


def part_0(asked: memoryview, view: GateView, said: memoryview) -> int:
    """Gates 0 to 14."""
    order = view.order
    risk = view.risk
    times = view.times
    if asked[0]:
        ok, limit, measured = halt_level(view)
        if not ok:
            return tell(said, 0, limit, measured)
    if asked[1]:
        ok, limit, measured = approved(risk)
        if not ok:
            return tell(said, 1, limit, measured)
    if asked[2]:
        ok, limit, measured = clock_skew(order)
        if not ok:
            return tell(said, 2, limit, measured)
    if asked[3]:
        ok, limit, measured = venue(risk)
        if not ok:
            return tell(said, 3, limit, measured)
    if asked[4]:
        ok, limit, measured = strategy_on(view)
        if not ok:
            return tell(said, 4, limit, measured)
    if asked[5]:
        ok, limit, measured = strategy_live(view)
        if not ok:
            return tell(said, 5, limit, measured)
    if asked[6]:
        ok, limit, measured = books_match(view)
        if not ok:
            return tell(said, 6, limit, measured)
    if asked[7]:
        ok, limit, measured = instrument_active(view)
        if not ok:
            return tell(said, 7, limit, measured)
    if asked[8]:
        ok, limit, measured = restricted(order)
        if not ok:
            return tell(said, 8, limit, measured)
    if asked[9]:
        ok, limit, measured = session(times)
        if not ok:
            return tell(said, 9, limit, measured)
    if asked[10]:
        ok, limit, measured = blackout(times)
        if not ok:
            return tell(said, 10, limit, measured)
    if asked[11]:
        ok, limit, measured = data_jump(view)
        if not ok:
            return tell(said, 11, limit, measured)
    if asked[12]:
        ok, limit, measured = data_repainted(order)
        if not ok:
            return tell(said, 12, limit, measured)
    if asked[13]:
        ok, limit, measured = quote_there(view)
        if not ok:
            return tell(said, 13, limit, measured)
    if asked[14]:
        ok, limit, measured = quote_uncrossed(view)
        if not ok:
            return tell(said, 14, limit, measured)
    return -1


def part_1(asked: memoryview, view: GateView, said: memoryview) -> int:
    """Gates 15 to 30."""
    order = view.order
    risk = view.risk
    times = view.times
    if asked[15]:
        ok, limit, measured = quote_fresh(view)
        if not ok:
            return tell(said, 15, limit, measured)
    if asked[16]:
        ok, limit, measured = spread(order)
        if not ok:
            return tell(said, 16, limit, measured)
    if asked[17]:
        ok, limit, measured = price_collar(view)
        if not ok:
            return tell(said, 17, limit, measured)
    if asked[18]:
        ok, limit, measured = collar_window(order)
        if not ok:
            return tell(said, 18, limit, measured)
    if asked[19]:
        ok, limit, measured = slippage_cap(view)
        if not ok:
            return tell(said, 19, limit, measured)
    if asked[20]:
        ok, limit, measured = touch_moved(view)
        if not ok:
            return tell(said, 20, limit, measured)
    if asked[21]:
        ok, limit, measured = short(order)
        if not ok:
            return tell(said, 21, limit, measured)
    if asked[22]:
        ok, limit, measured = owner(view)
        if not ok:
            return tell(said, 22, limit, measured)
    if asked[23]:
        ok, limit, measured = duplicate(risk)
        if not ok:
            return tell(said, 23, limit, measured)
    if asked[24]:
        ok, limit, measured = self_cross(order)
        if not ok:
            return tell(said, 24, limit, measured)
    if asked[25]:
        ok, limit, measured = outcome_unknown(view)
        if not ok:
            return tell(said, 25, limit, measured)
    if asked[26]:
        ok, limit, measured = order_working(view)
        if not ok:
            return tell(said, 26, limit, measured)
    if asked[27]:
        ok, limit, measured = already_held(view)
        if not ok:
            return tell(said, 27, limit, measured)
    if asked[28]:
        ok, limit, measured = positions_max(view)
        if not ok:
            return tell(said, 28, limit, measured)
    if asked[29]:
        ok, limit, measured = position_cap(view)
        if not ok:
            return tell(said, 29, limit, measured)
    if asked[30]:
        ok, limit, measured = cooldown(times)
        if not ok:
            return tell(said, 30, limit, measured)
    return -1


def part_2(asked: memoryview, view: GateView, said: memoryview) -> int:
    """Gates 31 to 45."""
    sums = view.sums
    risk = view.risk
    book = view.book
    if asked[31]:
        ok, limit, measured = day_stop(sums)
        if not ok:
            return tell(said, 31, limit, measured)
    if asked[32]:
        ok, limit, measured = rolling_loss(book)
        if not ok:
            return tell(said, 32, limit, measured)
    if asked[33]:
        ok, limit, measured = drawdown(sums)
        if not ok:
            return tell(said, 33, limit, measured)
    if asked[34]:
        ok, limit, measured = strategy_drawdown(book)
        if not ok:
            return tell(said, 34, limit, measured)
    if asked[35]:
        ok, limit, measured = unattended(book)
        if not ok:
            return tell(said, 35, limit, measured)
    if asked[36]:
        ok, limit, measured = trades_hour(sums)
        if not ok:
            return tell(said, 36, limit, measured)
    if asked[37]:
        ok, limit, measured = trades_day(sums)
        if not ok:
            return tell(said, 37, limit, measured)
    if asked[38]:
        ok, limit, measured = messages(risk)
        if not ok:
            return tell(said, 38, limit, measured)
    if asked[39]:
        ok, limit, measured = asset_exposure(risk)
        if not ok:
            return tell(said, 39, limit, measured)
    if asked[40]:
        ok, limit, measured = exposure_total(sums)
        if not ok:
            return tell(said, 40, limit, measured)
    if asked[41]:
        ok, limit, measured = pending_exposure(risk)
        if not ok:
            return tell(said, 41, limit, measured)
    if asked[42]:
        ok, limit, measured = correlated_exposure(risk)
        if not ok:
            return tell(said, 42, limit, measured)
    if asked[43]:
        ok, limit, measured = loss_total(sums)
        if not ok:
            return tell(said, 43, limit, measured)
    if asked[44]:
        ok, limit, measured = value_at_risk(risk)
        if not ok:
            return tell(said, 44, limit, measured)
    if asked[45]:
        ok, limit, measured = budget_exposure(sums)
        if not ok:
            return tell(said, 45, limit, measured)
    return -1


def part_3(asked: memoryview, view: GateView, said: memoryview) -> int:
    """Gates 46 to 60."""
    sums = view.sums
    tier = view.tier
    order = view.order
    risk = view.risk
    if asked[46]:
        ok, limit, measured = budget_loss(sums)
        if not ok:
            return tell(said, 46, limit, measured)
    if asked[47]:
        ok, limit, measured = budget_positions(sums)
        if not ok:
            return tell(said, 47, limit, measured)
    if asked[48]:
        ok, limit, measured = budget_trades_day(sums)
        if not ok:
            return tell(said, 48, limit, measured)
    if asked[49]:
        ok, limit, measured = tier_positions(tier)
        if not ok:
            return tell(said, 49, limit, measured)
    if asked[50]:
        ok, limit, measured = tier_weight(tier)
        if not ok:
            return tell(said, 50, limit, measured)
    if asked[51]:
        ok, limit, measured = cash(view)
        if not ok:
            return tell(said, 51, limit, measured)
    if asked[52]:
        ok, limit, measured = capital(risk)
        if not ok:
            return tell(said, 52, limit, measured)
    if asked[53]:
        ok, limit, measured = order_value(order)
        if not ok:
            return tell(said, 53, limit, measured)
    if asked[54]:
        ok, limit, measured = order_value_home(order)
        if not ok:
            return tell(said, 54, limit, measured)
    if asked[55]:
        ok, limit, measured = order_qty(order)
        if not ok:
            return tell(said, 55, limit, measured)
    if asked[56]:
        ok, limit, measured = volume_share(order)
        if not ok:
            return tell(said, 56, limit, measured)
    if asked[57]:
        ok, limit, measured = depth_share(order)
        if not ok:
            return tell(said, 57, limit, measured)
    if asked[58]:
        ok, limit, measured = qty_min(view)
        if not ok:
            return tell(said, 58, limit, measured)
    if asked[59]:
        ok, limit, measured = qty_max(view)
        if not ok:
            return tell(said, 59, limit, measured)
    if asked[60]:
        ok, limit, measured = notional_min(view)
        if not ok:
            return tell(said, 60, limit, measured)
    return -1
