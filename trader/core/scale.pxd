cimport cython

from trader.core.money cimport mul_div_down, mul_div_up, product, share_up


cdef class Spec:
    cdef public object active, base, base_unit, cash_unit, lot, quote, symbol, tick
    cdef public object tick_den, tick_num
    cdef public double tick_den_float, tick_num_float
    cdef public long long base_per_lot, fee_maker_ppm, fee_taker_ppm, notional_den, notional_num
    cdef public long long notional_units_min, qty_lots_max, qty_lots_min


@cython.locals(cells=cython.longlong)
cpdef long long notional_down(Spec spec, long long price_ticks, long long qty_lots) except? -1

@cython.locals(cells=cython.longlong)
cpdef long long notional_up(Spec spec, long long price_ticks, long long qty_lots) except? -1

@cython.locals(whole=cython.longlong, rest=cython.longlong, part=cython.longlong)
cpdef long long value_of_base_down(
    Spec spec, long long price_ticks, long long base_units
) except? -1

cpdef long long fee_up(long long value_units, long long fee_ppm) except? -1
