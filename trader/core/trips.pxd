cimport cython

from trader.core.lane_books cimport LaneBooks
from trader.core.lane_rows cimport Coin, Leg, Pair
from trader.core.scale cimport Spec, value_of_base_down


cdef class Execution:
    cdef public long long at_ms, fee_cash_units, fee_units, maker, price_ticks, qty_lots, reason
    cdef public long long side, strategy, symbol, value_units


cdef class Trip:
    cdef public long long bought_lots, closed_ms, cost_units, exit_reason, fee_units, fills
    cdef public long long first_ticks, last_ticks, opened_ms, proceeds_units, result_units
    cdef public long long sold_lots, strategy, symbol

    cpdef begin(self, Execution first)
    cpdef add(self, Execution one)


cdef class Trips:
    cdef public list closed, fills
    cdef public dict open
    cdef public object turnover_units

    @cython.locals(trip=Trip)
    cpdef take(self, Execution one, long long result_units, long long closed_ms)

    @cython.locals(trip=Trip, at=Py_ssize_t)
    cdef Trip _left_by(self, long long strategy, long long symbol)

    @cython.locals(
        i=Py_ssize_t, leg=Leg, pair=Pair, one=Execution, coin=Coin, spec=Spec)
    cpdef take_legs(self, list legs, LaneBooks books, list places, list reasons)


@cython.locals(at=Py_ssize_t, i=Py_ssize_t, one=Execution)
cpdef write_fills(list fills, long long[::1] cells)

@cython.locals(at=Py_ssize_t, i=Py_ssize_t, trip=Trip)
cpdef write_trips(list trips, long long[::1] cells)

@cython.locals(i=Py_ssize_t, trip=Trip)
cpdef results_of(list trips, long long[::1] results, long long[::1] costs)
