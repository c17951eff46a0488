cimport cython

from trader.core.money cimport mul_div_up, price_down, price_up

cdef long long MILLION


cdef class OrderSums:
    cdef public long long ask_ticks, bid_ticks, depth_asked, depth_lots_max, free_lots
    cdef public long long home_asked, home_units_max, is_buy, own_sell_ticks, price_ticks
    cdef public long long qty_lots, qty_lots_max, repaint_ppm, repaint_ppm_max, restricted
    cdef public long long sell_lots, skew_ms, skew_ms_max, spread_asked, spread_ppm_max
    cdef public long long value_units, value_units_max, volume_asked, volume_lots_max
    cdef public long long window_asked, window_ppm, window_ticks
    cdef public object home_words, restricted_by


cpdef (bint, long long, long long) clock_skew(OrderSums sums) noexcept
cpdef (bint, long long, long long) restricted(OrderSums sums) noexcept
cpdef (bint, long long, long long) data_repainted(OrderSums sums) noexcept

@cython.locals(both=cython.longlong, measured=cython.longlong)
cpdef (bint, long long, long long) spread(OrderSums sums)

@cython.locals(price=cython.longlong, then=cython.longlong, up=cython.longlong, down=cython.longlong)
cpdef (bint, long long, long long) collar_window(OrderSums sums)

cpdef (bint, long long, long long) short(OrderSums sums) noexcept
cpdef (bint, long long, long long) self_cross(OrderSums sums) noexcept
cpdef (bint, long long, long long) order_value(OrderSums sums) noexcept

@cython.locals(ok=cython.bint)
cpdef (bint, long long, long long) order_value_home(OrderSums sums) noexcept
cpdef (bint, long long, long long) order_qty(OrderSums sums) noexcept

@cython.locals(ok=cython.bint)
cpdef (bint, long long, long long) volume_share(OrderSums sums) noexcept

@cython.locals(ok=cython.bint)
cpdef (bint, long long, long long) depth_share(OrderSums sums) noexcept
