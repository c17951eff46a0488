cimport cython

from trader.core.time_gates cimport TimeSums


@cython.locals(sums=TimeSums)
cpdef TimeSums time_sums(desk, strategy, symbol)
