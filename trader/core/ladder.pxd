cimport cython

from trader.core.money cimport mul_div_up, price_down
from trader.core.scale cimport Spec


@cython.locals(lowered=cython.longlong, worth=cython.longlong)
cpdef long long exit_price_ticks(
    Spec spec, long long bid_ticks, long long ppm, long long qty_lots
) except? -1
cpdef long long least_ticks(Spec spec, long long qty_lots) except? -1
cpdef long long least_lots(Spec spec, long long price_ticks) except? -1
cpdef long long least_cells(Spec spec) except? -1
