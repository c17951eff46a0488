cimport cython

from trader.core.risk cimport held_loss_units, loss_units
from trader.core.scale cimport Spec, value_of_base_down
from trader.core.sizing cimport entry_cost_units


# Sums stay Python's own integers: they may leave 64 bits before a gate refuses them.
cdef class Sum:
    cdef public object exposure_units, loss_units
    cdef public set symbols


cdef class Totals:
    cdef public tuple _asked
    cdef public object _slippage_ppm, _state, _tier_of
    cdef public Sum all
    cdef public dict coins, own_trades_day, strategies, symbols, tiers
    cdef public object pending_units
    cdef public long long trades_day, trades_hour

    @cython.locals(spec=Spec)
    cpdef tuple entry(self, symbol, price_ticks, qty_lots, stop_ticks)

    cpdef Sum of_strategy(self, name)
    cpdef Sum of_tier(self, name)
    cpdef Sum of_coin(self, coin)
