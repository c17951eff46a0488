cimport cython

from trader.core.gate_view cimport GateView
from trader.core.lane_gates cimport first_no
from trader.core.ladder cimport exit_price_ticks, least_lots
from trader.core.lane_books cimport LaneBooks
from trader.core.lane_rows cimport Coin, Leg, Pair, Ratchet, Refusal, Strand, new_leg
from trader.core.lane_rules cimport LaneRules
from trader.core.lane_sums cimport LaneSums, lots_for
from trader.core.money cimport price_down, price_up, share_down, share_up
from trader.core.scale cimport Spec, fee_up, notional_down, notional_up
from trader.core.sizing cimport distance_ticks, stop_ticks_below, strength_ppm

cdef long long STOP
cdef long long TRAIL
cdef long long EVEN
cdef long long TARGET
cdef long long HOLD
cdef long long EXIT
cdef long long ENTRY
cdef long long APPROVED
cdef long long REFUSED
cdef long long LIMIT
cdef long long MILLION
cdef double NONE


cdef class LaneEntries:
    cdef public LaneBooks books
    cdef public LaneRules rules
    cdef public LaneSums sums
    cdef public list legs, order, ratchets, refusals
    cdef public long long holds, used
    cdef public Py_ssize_t _legs, _ratchets, _refusals
    cdef public long long _used
    cdef public double said_stop, said_strength, said_target, said_trail
    cdef public long long said_ms

    @cython.locals(sure=cython.bint)
    cpdef bint decide(
        self, long long bar_ms, long long close_ms, long long equity, bint wished) except -1

    cpdef bint changed(self)

    @cython.locals(
        books=LaneBooks, i=Py_ssize_t, coin=Coin, pair=Pair, asks=cython.bint)
    cdef bint _decide(
        self, long long bar_ms, long long close_ms, long long equity, bint wished) except -1

    @cython.locals(i=Py_ssize_t, leg=Leg, pair=Pair, coin=Coin, strand=Strand)
    cdef _forget_legs(self)

    @cython.locals(
        row=Py_ssize_t, close=cython.longlong, bid=cython.longlong, moved=cython.longlong,
        reason=cython.longlong)
    cdef bint _look_after(self, Coin coin, long long bar_ms, long long close_ms) except -1

    @cython.locals(row=Py_ssize_t, stop=cython.longlong, pair=Pair)
    cdef long long _reason(
        self, Coin coin, long long bid, long long moved, long long close_ms) except? -2

    @cython.locals(
        spec=Spec, rules=LaneRules, lots=cython.longlong, price=cython.longlong, at=Py_ssize_t,
        touch=cython.longlong, value=cython.longlong, leg=Leg)
    cdef bint _leave(
        self, Coin coin, long long bid, long long reason, long long bar_ms, long long close_ms
    ) except -1

    @cython.locals(leg=Leg)
    cdef Leg _new_leg(self, Pair pair, long long bar_ms, long long price, long long lots)

    @cython.locals(run=Py_ssize_t, index=Py_ssize_t, row=Py_ssize_t, coin=Coin)
    cdef bint _listen(self, Pair pair, long long bar_ms) except -1

    @cython.locals(
        coin=Coin, foreign=cython.bint, spec=Spec, row=Py_ssize_t, rules=LaneRules,
        close=cython.longlong, worst=cython.longlong, ask=cython.longlong, price=cython.longlong,
        distance=double, stop=cython.longlong, units=cython.longlong, cap=cython.longlong,
        lots=cython.longlong, target=cython.longlong, trail=cython.longlong, view=GateView,
        answered=cython.longlong, leg=Leg)
    cdef bint _consider(
        self, Pair pair, long long bar_ms, long long close_ms, long long equity) except -1

    @cython.locals(refusal=Refusal, index=Py_ssize_t)
    cdef long long _ask(self, GateView view, Pair pair, long long bar_ms) except -1

    @cython.locals(
        coin=Coin, spec=Spec, rules=LaneRules, at=Py_ssize_t, touch=cython.longlong,
        coins=cython.longlong, after=cython.longlong)
    cdef bint _fills_whole(self, Pair pair, Leg leg, long long close_ms) except -1

    @cython.locals(
        books=LaneBooks, i=Py_ssize_t, moved=Ratchet, coin=Coin, leg=Leg, pair=Pair)
    cpdef commit(self, long long close_ms)


@cython.locals(at=Py_ssize_t, end=Py_ssize_t)
cdef bint enters_at(Pair pair, Py_ssize_t row)

@cython.locals(at=Py_ssize_t, end=Py_ssize_t)
cpdef bint leaves_at(Pair pair, Py_ssize_t row)

cdef bint is_none(double distance)

@cython.locals(spec=Spec, paid=cython.longlong)
cdef bint has_room(Coin coin, long long lots, long long cost_units) except -1

cdef bint fills_at(Coin coin, Py_ssize_t row, long long open_ms)
