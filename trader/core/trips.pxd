cimport cython

from trader.core.exact cimport quotient
from trader.core.lane_books cimport LaneBooks
from trader.core.lane_rows cimport Coin, Leg, Pair
from trader.core.scale cimport Spec, value_of_base_down


cdef class Rows:
    cdef public list blocks
    cdef public long long[::1] view
    cdef public Py_ssize_t count, next, width

    @cython.locals(at=Py_ssize_t)
    cdef Py_ssize_t add(self) except -1
    cpdef grow(self)


cdef class Execution:
    cdef public long long at_ms, fee_cash_units, fee_units, maker, price_ticks, qty_lots, reason
    cdef public long long side, strategy, symbol, value_units

    @cython.locals(at=Py_ssize_t)
    cdef put(self, Rows rows)


cdef class Trip:
    cdef public long long bought_lots, closed_ms, cost_units, exit_reason, fee_units, fills
    cdef public long long first_ticks, is_open, last_ticks, opened_ms, proceeds_units, result_units
    cdef public long long sold_lots, strategy, symbol

    cdef void begin(self, Execution first) noexcept
    cdef void add(self, Execution one) noexcept
    @cython.locals(at=Py_ssize_t)
    cdef put(self, Rows rows)
    cpdef read(self, object row)


cdef class Trips:
    cdef public Rows closed, fills
    cdef public list trips
    cdef public long long lower, open, upper

    cpdef Trip trip_of(self, Py_ssize_t symbol)

    @cython.locals(trip=Trip, symbol=Py_ssize_t)
    cpdef take(self, Execution one, long long result_units, long long closed_ms)

    cdef _put(self, Trip trip, long long closed_ms)

    @cython.locals(trip=Trip, number=Py_ssize_t)
    cdef take_late(self, Execution one, long long result_units, long long closed_ms)

    @cython.locals(
        i=Py_ssize_t, leg=Leg, pair=Pair, one=Execution, coin=Coin, spec=Spec)
    cpdef take_legs(
        self, list legs, LaneBooks books, const long long[::1] places, const long long[::1] reasons)


@cython.locals(
    i=Py_ssize_t, result=cython.longlong, won_upper=cython.longlong, won_lower=cython.longlong,
    lost_upper=cython.longlong, lost_lower=cython.longlong, winners=cython.longlong)
cpdef sum_results(const long long[::1] results, long long[::1] out)

@cython.locals(i=Py_ssize_t, count=Py_ssize_t)
cpdef Py_ssize_t shares_of(
    const long long[::1] results, const long long[::1] costs, double[::1] out) except -1
