cimport cython

from trader.core.calendar cimport day_of, day_start_ms
from trader.core.lane_messages cimport LaneMessages
from trader.core.lane_rows cimport Coin, LaneDay, Leg, Pair, Strand
from trader.core.money cimport limit_units, mul_div_down, mul_div_up, price_down, product
from trader.core.scale cimport Spec, fee_up, value_of_base_down

cdef long long AN_HOUR
cdef long long A_DAY
cdef long long TIMES_MAX
cdef long long SLOTS
cdef long long MILLION
cdef long long SENT
cdef double SURE


cdef class LaneBooks:
    cdef public long long day_after_ms, day_at, day_begins_ms
    cdef public list coins, days, held, pairs, strands
    cdef public Py_ssize_t held_count
    cdef public LaneMessages messages
    cdef public object day_rule
    cdef public long long marked
    cdef public long long asks_quality, bid_ppm, capital_units, cash_units, close_ms, day
    cdef public long long day_ends_ms, day_floor, day_limit, day_loss_ppm, day_stopped, day_units
    cdef public long long day_whole, drawdown_ppm, drawdown_stopped, equity_units
    cdef public long long exits_elsewhere, exposure_ppm, fall_floor, fall_fresh, fall_ppm
    cdef public long long fills, high_units, last_bar_ms, leftovers, loss_ppm
    cdef public long long owned_count, sent_count, sent_day, sent_hour
    cdef public long long seen_day, seen_day_limit, seen_day_stopped, seen_day_units
    cdef public long long seen_fall_limit, seen_fallen, seen_high
    cdef public long long sent_new, slippage_ppm, step_ms, trim_ppm, undeclared, used_units
    cdef public long long[::1] sent_at, sent_by

    @cython.locals(
        units=cython.longlong, stopped=cython.longlong, limit=cython.longlong,
        number=cython.longlong, whole=cython.bint, fallen=cython.bint)
    cpdef foresee(self, long long close_ms, long long equity)

    @cython.locals(day_before=cython.longlong, today=LaneDay)
    cpdef mark(self, long long close_ms, long long equity)

    @cython.locals(plain=cython.bint, quiet=cython.bint)
    cdef bint is_gliding(self, Coin coin) except -1

    @cython.locals(floor=cython.longlong)
    cdef long long floor_units(self) except? -1

    cdef long long _day_at(self, long long close_ms) except? -1

    @cython.locals(known=cython.bint)
    cdef bint is_still(self, long long equity, long long close_ms)

    @cython.locals(before=cython.longlong, number=cython.longlong, today=LaneDay, last=LaneDay)
    cpdef _begin_day(self, long long close_ms, long long equity)

    @cython.locals(
        i=Py_ssize_t, strand=Strand, result=cython.longlong, fallen=cython.longlong,
        day=cython.longlong, there=LaneDay)
    cpdef _tell_results(self, long long day_before)

    @cython.locals(i=Py_ssize_t, strand=Strand)
    cdef bint has_to_judge(self, long long close_ms) except -1

    @cython.locals(
        i=Py_ssize_t, strand=Strand, result=cython.longlong, budget=double,
        fallen=cython.longlong)
    cpdef bint may_have_fallen(self, long long equity)

    @cython.locals(least=cython.longlong, at=cython.longlong, lost=cython.longlong)
    cpdef forget_sent(self, long long now_ms)

    cpdef forget_oldest_sent(self)

    @cython.locals(by=cython.longlong, strand=Strand)
    cdef _less_sent(self, long long at)

    @cython.locals(slot=cython.longlong, today=LaneDay)
    cpdef note_entry_sent(self, Strand strand, long long at_ms)

    @cython.locals(today=LaneDay)
    cpdef note_fill(self, Strand strand, long long realised, long long fee)

    @cython.locals(
        coin=Coin, strand=Strand, spec=Spec, lots=cython.longlong, value=cython.longlong,
        fee=cython.longlong, coins=cython.longlong, was=cython.longlong,
        was_owned=cython.longlong)
    cpdef buy(self, Pair pair, Leg leg, long long at_ms)

    @cython.locals(
        coin=Coin, strand=Strand, spec=Spec, value=cython.longlong, fee=cython.longlong,
        gone=cython.longlong, cost=cython.longlong, result=cython.longlong, closed=cython.bint,
        stopped=cython.bint, since=cython.longlong, was=cython.longlong,
        was_owned=cython.longlong)
    cpdef sell(self, Pair pair, Leg leg, long long at_ms, long long close_ms)

    @cython.locals(coin=Coin)
    cpdef hold(self)

    @cython.locals(at=Py_ssize_t)
    cdef keep(self, Coin coin, long long was, long long was_owned)

    @cython.locals(coin=Coin)
    cdef long long _index(self, Py_ssize_t at) except? -1

    @cython.locals(stop=cython.longlong, received=cython.longlong)
    cpdef guard(self, Coin coin)


@cython.locals(ppm=cython.longlong)
cpdef settle(Strand strand, long long result, long long bought)

@cython.locals(there=LaneDay)
cpdef LaneDay known_day(list days, long long day, long long start_units)
