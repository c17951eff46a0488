cimport cython

from trader.core.lane_books cimport LaneBooks
from trader.core.lane_entries cimport LaneEntries, leaves_at
from trader.core.lane_rows cimport Coin, LaneDay, Pair, Strand
from trader.core.lane_sums cimport loss_of

cdef double SURE
cdef double MILLION
cdef long long MOST
cdef long long DAYS
cdef Py_ssize_t NEVER_ROW


cdef class Lane:
    cdef public LaneBooks books
    cdef public LaneEntries entries
    cdef public list coins
    cdef public object equity
    cdef public bint plain
    cdef public Py_ssize_t mask, until
    cdef public long long until_ms
    cdef public const long long[::1] grid
    cdef public long long[::1] curve
    cdef public unsigned char[::1] wish
    cdef public long long aligned, due_ms, exposed, holds, lane_bars, ready, refresh_ms
    cdef public long long refreshed_ms, refreshes, step_ms, tiers_ms

    @cython.locals(
        books=LaneBooks, t=Py_ssize_t, close_ms=cython.longlong, total=cython.longlong,
        reached=Py_ssize_t)
    cpdef Py_ssize_t run(self, Py_ssize_t at, Py_ssize_t stop) except -1

    @cython.locals(
        books=LaneBooks, total=cython.longlong, first=Py_ssize_t)
    cdef Py_ssize_t _rest(self, Py_ssize_t t, Py_ssize_t stop) except -1

    @cython.locals(
        books=LaneBooks, coin=Coin, strand=Strand, first=Py_ssize_t, offset=Py_ssize_t,
        target=cython.longlong,
        cash=cython.longlong, per_tick=cython.longlong, gap=cython.longlong,
        stop_ticks=cython.longlong, bid_stop_ticks=cython.longlong, most=cython.longlong,
        high=cython.longlong, floor=cython.longlong, top=cython.longlong,
        deepest=cython.longlong, least=cython.longlong, total=cython.longlong,
        falls=cython.bint, mask=Py_ssize_t, row=Py_ssize_t, close=cython.longlong,
        made=cython.longlong)
    cdef Py_ssize_t _glide(self, Py_ssize_t t, Py_ssize_t stop) except -1

    @cython.locals(
        books=LaneBooks, coin=Coin, strand=Strand, first=Py_ssize_t, gap=cython.longlong,
        high=cython.longlong, floor=cython.longlong, top=cython.longlong,
        deepest=cython.longlong, least=cython.longlong, total=cython.longlong,
        falls=cython.bint, made=cython.longlong)
    cdef Py_ssize_t _glide_many(self, Py_ssize_t t, Py_ssize_t stop) except -1

    @cython.locals(
        books=LaneBooks, coin=Coin, i=Py_ssize_t, row=Py_ssize_t, close=cython.longlong,
        total=cython.longlong)
    cdef long long _worth(self, Py_ssize_t t) except? -2

    @cython.locals(
        books=LaneBooks, coin=Coin, strand=Strand, own_day=LaneDay, i=Py_ssize_t,
        until_ms=cython.longlong, leave_row=Py_ssize_t)
    cdef Py_ssize_t _glides_until(self, Py_ssize_t t, Py_ssize_t stop) except -1

    cdef Py_ssize_t _closes_from(self, long long until_ms, Py_ssize_t t) except -1

    @cython.locals(
        books=LaneBooks, coin=Coin, strand=Strand, today=LaneDay, own_day=LaneDay, i=Py_ssize_t,
        gap=cython.longlong)
    cdef _land(self, Py_ssize_t first, Py_ssize_t stop, long long least, long long total)

    @cython.locals(
        books=LaneBooks, i=Py_ssize_t, row=Py_ssize_t, total=cython.longlong,
        price=cython.longlong, value=cython.longlong, plain=cython.bint, coin=Coin, strand=Strand)
    cdef long long _weigh(self, Py_ssize_t t, long long close_ms) except? -2

    @cython.locals(books=LaneBooks, entries=LaneEntries, wished=cython.bint)
    cdef bint _decide(self, Py_ssize_t t, long long close_ms, long long total) except -1

    cdef _refresh(self, long long close_ms)

    @cython.locals(last_ms=cython.longlong)
    cdef _pass_refreshes(self, Py_ssize_t first, Py_ssize_t stop)

    @cython.locals(guess=Py_ssize_t)
    cdef Py_ssize_t _first_at(self, long long open_ms, Py_ssize_t low, Py_ssize_t high) except -1

    @cython.locals(i=Py_ssize_t, coin=Coin)
    cdef _place(self, Py_ssize_t t)

    cdef bint _unsure(self, long long total, long long close_ms) except -1

    @cython.locals(
        books=LaneBooks, i=Py_ssize_t, coin=Coin, exposure=double, loss=double, room=double)
    cdef bint _may_trim(self, long long total) except -1


@cython.locals(stop=cython.longlong)
cdef bint must_look(Coin coin, Pair pair, Py_ssize_t row, long long close_ms) except -1

cdef Py_ssize_t next_leave(Pair pair, Py_ssize_t row) except -1

@cython.locals(i=Py_ssize_t, coin=Coin, row=Py_ssize_t, absent=cython.bint)
cdef bint find_rows(list coins, long long bar_ms) except -1

@cython.locals(
    bars=Py_ssize_t, t=Py_ssize_t, at=Py_ssize_t, row=Py_ssize_t, open_ms=cython.longlong)
cpdef note_wishes(Pair pair, Coin coin, const long long[::1] grid, unsigned char[::1] wish)

@cython.locals(middle=Py_ssize_t)
cdef Py_ssize_t first_at(
    const long long[::1] grid, long long open_ms, Py_ssize_t low, Py_ssize_t high) except -1
