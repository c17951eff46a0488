cimport cython

from trader.core.money cimport mul_div_down, price_down, product
from trader.core.scale cimport Spec, fee_up, notional_down, value_of_base_down
from trader.core.sizing cimport entry_cost_units


@cython.locals(received=cython.longlong)
cpdef long long loss_of_cost(
    Spec spec, long long cost_units, long long qty_lots, long long stop_ticks,
    long long slippage_ppm
) except? -1

@cython.locals(cost=cython.longlong)
cpdef long long loss_units(
    Spec spec, long long price_ticks, long long qty_lots, long long stop_ticks,
    long long slippage_ppm
) except? -1

@cython.locals(received=cython.longlong)
cpdef long long held_loss_units(
    Spec spec, long long value_units, long long qty_units, long long stop_ticks,
    long long slippage_ppm
) except? -1

@cython.locals(
    lost=cython.longlong, exit_ticks=cython.longlong, cells=cython.longlong, most=cython.longlong,
    lots=cython.longlong)
cpdef long long lots_at_risk(
    Spec spec, long long price_ticks, long long stop_ticks, long long slippage_ppm,
    long long risk_units, long long lots_max=*
) except? -1
