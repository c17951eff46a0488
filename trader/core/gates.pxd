cimport cython

from trader.core.gate_view cimport GateView


@cython.locals(
    gates=tuple, groups=tuple, cells="long long[::1]", refused=cython.int, at=cython.int,
    group=cython.int
)
cpdef ask_all(GateView view)
