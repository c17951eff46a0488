cimport cython

from trader.core.money cimport mul_div_down
from trader.core.scale cimport Spec, fee_up, notional_up


@cython.locals(value=cython.longlong)
cpdef long long entry_cost_units(Spec spec, long long price_ticks, long long qty_lots) except? -1
