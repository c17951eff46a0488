cimport cython

from trader.core.money cimport share_down

from trader.core.risk_gates cimport RiskSums


@cython.locals(sums=RiskSums, cost=cython.longlong)
cpdef RiskSums risk_sums(desk, proposal, strategy, spec)
