cimport cython

from trader.core.money cimport share_down
from trader.core.order_gates cimport OrderSums
from trader.core.scale cimport notional_up


@cython.locals(sums=OrderSums)
cpdef OrderSums order_sums(desk, proposal, strategy, spec)

@cython.locals(sums=OrderSums)
cpdef OrderSums sell_sums(proposal, long long free)
