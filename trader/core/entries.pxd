cimport cython

from trader.core.gate_view cimport GateView
from trader.core.money cimport price_up, share_down
from trader.core.scale cimport notional_down


@cython.locals(view=GateView, equity=cython.longlong)
cpdef GateView entry_view(desk, proposal, spec, strategy, long long worst)
