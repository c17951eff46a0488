cimport cython

from trader.core.money cimport mul_div_down
from trader.core.scale cimport Spec, fee_up, notional_up

cdef double FLOAT_MAX
cdef long long MILLION
cdef long long TRIES


cpdef long long float_down(double value) except? -1

cpdef long long strength_ppm(double strength) except? -1

@cython.locals(ticks=cython.longlong, den=double, num=double)
cpdef long long stop_ticks_below(Spec spec, long long close_ticks, double distance) except? -1

@cython.locals(den=double, num=double)
cpdef long long distance_ticks(Spec spec, double distance) except? -1

@cython.locals(
    spendable=cython.longlong, before_fee=cython.longlong, cells=cython.longlong,
    most=cython.longlong, lots=cython.longlong)
cpdef long long entry_lots(
    Spec spec, long long price_ticks, long long budget_units, long long cash_units
) except? -1

@cython.locals(value=cython.longlong)
cpdef long long entry_cost_units(Spec spec, long long price_ticks, long long qty_lots) except? -1
