cimport cython

from trader.core.account_gates cimport (
    AccountSums, budget_exposure, budget_loss, budget_positions, budget_trades_day, day_stop,
    drawdown, exposure_total, loss_total, trades_day, trades_hour
)
from trader.core.book_gates cimport BookSums, rolling_loss, strategy_drawdown, unattended
from trader.core.gate_view cimport (
    GateView, already_held, books_match, cash, data_jump, halt_level, instrument_active,
    notional_min, order_working, outcome_unknown, owner, position_cap, positions_max,
    price_collar, qty_max, qty_min, quote_fresh, quote_there, quote_uncrossed, slippage_cap,
    strategy_live, strategy_on, touch_moved
)
from trader.core.lane_rows cimport Pair
from trader.core.order_gates cimport (
    OrderSums, clock_skew, collar_window, data_repainted, depth_share, order_qty, order_value,
    order_value_home, restricted, self_cross, short, spread, volume_share
)
from trader.core.risk_gates cimport (
    RiskSums, approved, asset_exposure, capital, correlated_exposure, duplicate, messages,
    pending_exposure, value_at_risk, venue
)
from trader.core.tier_gates cimport TierSums, tier_positions, tier_weight
from trader.core.time_gates cimport TimeSums, blackout, cooldown, session


@cython.locals(refused=Py_ssize_t)
cpdef Py_ssize_t first_no(Pair pair, GateView view) except? -2

cdef Py_ssize_t tell(Pair pair, Py_ssize_t index, long long limit, long long measured)

@cython.locals(ok=cython.bint, limit=cython.longlong, measured=cython.longlong, order=OrderSums, risk=RiskSums, times=TimeSums)
cdef Py_ssize_t part_0(Pair pair, GateView view) except? -2

@cython.locals(ok=cython.bint, limit=cython.longlong, measured=cython.longlong, order=OrderSums, risk=RiskSums, times=TimeSums)
cdef Py_ssize_t part_1(Pair pair, GateView view) except? -2

@cython.locals(ok=cython.bint, limit=cython.longlong, measured=cython.longlong, sums=AccountSums, risk=RiskSums, book=BookSums)
cdef Py_ssize_t part_2(Pair pair, GateView view) except? -2

@cython.locals(ok=cython.bint, limit=cython.longlong, measured=cython.longlong, sums=AccountSums, tier=TierSums, order=OrderSums, risk=RiskSums)
cdef Py_ssize_t part_3(Pair pair, GateView view) except? -2
