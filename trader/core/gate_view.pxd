cimport cython

from trader.core.account_gates cimport AccountSums
from trader.core.book_gates cimport BookSums
from trader.core.money cimport price_down, price_up
from trader.core.order_gates cimport OrderSums
from trader.core.risk_gates cimport RiskSums
from trader.core.tier_gates cimport TierSums
from trader.core.time_gates cimport TimeSums

cdef long long MOST


cdef class GateView:
    cdef public long long active, ask_ticks, before_ticks, bid_ticks, cash_units, close_ticks
    cdef public long long cost_units, enabled, exposure_units, halt_rank, held_lots, is_buy
    cdef public long long is_entry, may_add, mismatches, notional_units, own_notional_units_min
    cdef public long long owner_other, position_cap_units, positions, price_ticks, qty_lots
    cdef public long long qty_lots_max, qty_lots_min, quote_age_ms, shadow, slippage_ppm
    cdef public long long unresolved, venue_notional_units_min, working_entries, worst_ticks
    cdef public object owner, shadow_why
    cdef public long long bar_jump_ppm_max, collar_ppm, positions_max, quote_age_ms_max
    cdef public BookSums book
    cdef public OrderSums order
    cdef public RiskSums risk
    cdef public AccountSums sums
    cdef public TierSums tier
    cdef public TimeSums times


@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) halt_level(GateView view) noexcept

cpdef (bint, long long, long long) strategy_on(GateView view) noexcept
cpdef (bint, long long, long long) strategy_live(GateView view) noexcept
cpdef (bint, long long, long long) books_match(GateView view) noexcept
cpdef (bint, long long, long long) instrument_active(GateView view) noexcept

@cython.locals(lowest=cython.longlong)
cpdef (bint, long long, long long) quote_there(GateView view) noexcept

cpdef (bint, long long, long long) quote_uncrossed(GateView view) noexcept

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) quote_fresh(GateView view) noexcept

@cython.locals(before=cython.longlong, up=cython.longlong, down=cython.longlong)
cpdef (bint, long long, long long) data_jump(GateView view)

@cython.locals(up=cython.longlong, down=cython.longlong)
cpdef (bint, long long, long long) price_collar(GateView view)

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) slippage_cap(GateView view)

cpdef (bint, long long, long long) touch_moved(GateView view) noexcept
cpdef (bint, long long, long long) outcome_unknown(GateView view) noexcept
cpdef (bint, long long, long long) order_working(GateView view) noexcept
cpdef (bint, long long, long long) owner(GateView view) noexcept

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) already_held(GateView view) noexcept

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) positions_max(GateView view) noexcept

@cython.locals(after=cython.longlong)
cpdef (bint, long long, long long) position_cap(GateView view) noexcept

cpdef (bint, long long, long long) cash(GateView view) noexcept
cpdef (bint, long long, long long) qty_min(GateView view) noexcept
cpdef (bint, long long, long long) qty_max(GateView view) noexcept

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) notional_min(GateView view) noexcept
