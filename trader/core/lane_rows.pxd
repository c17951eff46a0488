cimport cython

from trader.core.gate_view cimport GateView
from trader.core.scale cimport Spec, value_of_base_down

cdef long long LARGE


cdef class Strand:
    cdef public object name
    cdef public list days
    cdef public long long attended, budget_exposure_ppm, budget_loss_ppm, budget_positions_max
    cdef public long long budget_trades_day_max, cash_units, drawdown_units, entries_filled
    cdef public long long fees_units, fills, first_day, has_book, high_units, index, leg_buys
    cdef public long long losses, lost_ppm, quality_day, realised_units, result_now, result_units
    cdef public long long sent_day, stopped, timeframe_ms, wins, won_ppm


cdef class Coin:
    cdef public Spec spec
    cdef public Strand strand
    cdef public object symbol
    cdef public const long long[::1] open_ms, open, high, low, close
    cdef public const double[::1] volume
    cdef public long long asks_absent, base_index, began_ms, bid_stop_ticks, bought_lots
    cdef public long long bought_units, complex, cost_units, entry_ticks, fees_units, fills_idle
    cdef public long long hold_ms
    cdef public long long holder, index, known, leg_buys, leg_sell_ticks, mark_ticks
    cdef public long long net_stop_units, opened_ms, owned, peak_ticks, per_tick
    cdef public long long price_max, qty_units
    cdef public long long realised_units, result_units, scaled, stop_ticks, target_ticks
    cdef public long long tier_index, touched, trail_ticks, trailed, value_units
    cdef public Py_ssize_t leave_row, next_row, offset, row, rows

    @cython.locals(spec=Spec, whole=cython.longlong, exact=cython.bint)
    cpdef weigh(self)
    cpdef clear(self)
    cpdef forget(self)
    @cython.locals(low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t)
    cpdef Py_ssize_t first_at(self, long long open_ms)
    cpdef long long value_at(self, long long price_ticks) except? -1


cdef class LaneDay:
    cdef public long long changed, day, end_units, fees_units, fills, flow_units, low_units
    cdef public long long realised_units, start_units, trades

    cpdef begin(self, long long day, long long start_units)
    @cython.locals(result=cython.longlong)
    cdef reach_all(self, long long least_units, long long end_units)
    @cython.locals(result=cython.longlong)
    cpdef reach(self, long long end_units)


cdef class Pair:
    cdef public Strand strand
    cdef public Coin coin
    cdef public GateView view
    cdef public const unsigned char[::1] asked
    cdef public long long said_limit, said_measured
    cdef public object columns, fails
    cdef public const int[::1] enters, leaves, offsets, signals
    cdef public const double[::1] stops, strengths, targets, trails
    cdef public double lot_float
    cdef public long long at_risk, cap_ppm, consumed_ms, exit_ms, fixed_units, has_wait, hold_ms
    cdef public long long index, least_units, may_add, method, plain, quick
    cdef public long long regime_ppm, share_ppm, stop_ms
    cdef public long long tier_index, tier_ppm, touched, unfilled_ms, usable
    cdef public Py_ssize_t enter_at, leave_at


cdef class Leg:
    cdef public long long bar_ms, base_fee_units, closed, fee_units, fill_ticks, is_buy, is_stop
    cdef public long long number, pair, price_ticks, qty_lots, reason, result_units, signal_ms
    cdef public long long stop_ticks, target_ticks, trail_ticks, value_units


@cython.locals(leg=Leg)
cpdef Leg new_leg(
    long long pair, long long number, long long bar_ms, long long price_ticks, long long qty_lots)


cdef class Refusal:
    cdef public long long bar_ms, gate, limit, measured, pair
    # A text holds nothing: so the collector leaves tens of thousands of these alone.
    cdef public str words


cdef class Ratchet:
    cdef public long long bar_ms, coin, ticks
