cimport cython

from trader.core.account_gates cimport AccountSums
from trader.core.book_gates cimport BookSums
from trader.core.gate_view cimport GateView
from trader.core.lane_books cimport LaneBooks
from trader.core.lane_messages cimport LaneMessages
from trader.core.lane_rows cimport Coin, LaneDay, Pair, Strand
from trader.core.lane_rules cimport LaneRules
from trader.core.money cimport limit_units, share_down
from trader.core.order_gates cimport OrderSums
from trader.core.risk cimport loss_of_cost, lots_at_risk
from trader.core.risk_gates cimport RiskSums
from trader.core.scale cimport Spec, notional_down, notional_up
from trader.core.sizing cimport entry_cost_units, entry_lots, float_down
from trader.core.tier_gates cimport TierSums
from trader.core.time_gates cimport TimeSums

cdef long long MILLION
cdef long long MOST
cdef long long SLOTS
cdef long long UNASKED
cdef double TOO_MUCH
cdef long long C_FIXED
cdef long long C_AGGRESSIVE
cdef long long C_KELLY


cdef class LaneSums:
    cdef public LaneBooks books
    cdef public LaneRules rules
    cdef public object opening
    cdef public long long all_exposure, all_loss, cost, counted, equity, loss, legs, pending, planned
    cdef public long long rolling_limit, rolling_loss
    cdef public long long[::1] leg_pair, leg_cost, leg_loss

    cpdef begin(self, long long equity)

    @cython.locals(books=LaneBooks, i=Py_ssize_t, coin=Coin)
    cdef _count_held(self, long long close_ms)

    @cython.locals(
        rules=LaneRules, books=LaneBooks, base=cython.longlong, flows=cython.longlong,
        found=cython.bint, number=cython.longlong, day=LaneDay)
    cdef _roll(self)

    @cython.locals(units=cython.longlong, ppm=cython.longlong, strand=Strand)
    cpdef long long units_for(self, Pair pair, long long equity, long long strength) except? -1

    @cython.locals(
        coin=Coin, books=LaneBooks, rules=LaneRules, spec=Spec, row=Py_ssize_t,
        price=cython.longlong, lots=cython.longlong, equity=cython.longlong, cost=cython.longlong,
        loss=cython.longlong, owner=cython.longlong, strand=Strand, book=BookSums)
    cpdef fill(self, GateView view, Pair pair, long long stop, long long close_ms)

    @cython.locals(i=Py_ssize_t, pair=Pair)
    cdef long long _owner(self, Coin coin) except? -2

    @cython.locals(i=Py_ssize_t, count=cython.longlong, other=Coin, pair=Pair)
    cdef long long _busy(self, Coin coin) except? -2

    @cython.locals(
        sums=AccountSums, tier=TierSums, books=LaneBooks, strand=Strand, i=Py_ssize_t, coin=Coin,
        other=Pair, own_exposure=cython.longlong, own_loss=cython.longlong,
        own_positions=cython.longlong, tier_exposure=cython.longlong,
        tier_positions=cython.longlong, here=cython.longlong, counts=cython.longlong,
        equity=cython.longlong)
    cdef _fill_account(self, GateView view, Pair pair, long long cost, long long loss)

    @cython.locals(order=OrderSums, coin=Coin, rules=LaneRules)
    cdef _fill_order(self, GateView view, Pair pair)

    @cython.locals(
        bars=cython.longlong, row=Py_ssize_t, then=cython.longlong, at=Py_ssize_t)
    cdef long long _close_then(self, Coin coin) except? -1

    @cython.locals(
        coin=Coin, rules=LaneRules, first_ms=cython.longlong, first=Py_ssize_t, total=double,
        index=Py_ssize_t, lots=double)
    cdef long long _share_of_volume(self, Pair pair) except? -2

    @cython.locals(
        risk=RiskSums, rules=LaneRules, books=LaneBooks, equity=cython.longlong,
        asset=cython.longlong, i=Py_ssize_t, other=Coin, pair=Pair, exposed=cython.longlong)
    cdef _fill_risk(self, GateView view, Coin coin, long long cost, long long close_ms)

    @cython.locals(
        counted=cython.longlong, least=cython.longlong, messages=LaneMessages, most=cython.longlong, risk=RiskSums, rules=LaneRules)
    cdef _fill_messages(self, GateView view, long long now_ms)

    @cython.locals(
        times=TimeSums, rules=LaneRules, strand=Strand, until=cython.longlong,
        length=cython.longlong)
    cdef _fill_times(self, GateView view, Pair pair, long long close_ms)

    @cython.locals(
        book=BookSums, strand=Strand, result=cython.longlong, high=cython.longlong,
        budget=cython.longlong)
    cdef _fill_fall(self, GateView view, Pair pair)

    @cython.locals(coin=Coin, strand=Strand)
    cpdef count(self, Pair pair)


cpdef long long loss_of(Coin coin) noexcept

@cython.locals(lots=cython.longlong, asked=cython.longlong)
cpdef long long lots_for(
    Spec spec, long long at_risk, long long units, long long cap, long long worst, long long stop,
    long long slippage_ppm
) except? -1
