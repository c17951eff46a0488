cimport cython

from trader.core.account_gates cimport AccountSums
from trader.core.money cimport limit_units, share_down
from trader.core.totals cimport Sum, Totals


@cython.locals(sums=AccountSums, cost=cython.longlong, loss=cython.longlong, own=Sum)
cpdef AccountSums account_sums(
    Totals totals, proposal, strategy, limits, dict marks, long long equity
)
