cimport cython
from trader.core.averages cimport keep

cdef double nan
cdef double ROUNDING

@cython.locals(
    count=Py_ssize_t, last=double, gain=double, loss=double, weight=double, i=Py_ssize_t,
    value=double, change=double, up=double, down=double, whole=double)
cpdef rsi_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, place=Py_ssize_t, i=Py_ssize_t, typical=double, first=Py_ssize_t,
    shift=double, j=Py_ssize_t, mean=double, spread=double, gap=double, slack=double,
    value=double)
cpdef cci_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, last=double, place=Py_ssize_t, i=Py_ssize_t, typical=double, flow=double,
    rise=double, fall=double, j=Py_ssize_t, whole=double, move=double, slack=double)
cpdef mfi_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    const double[::1] volume, Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop,
    double[::1] state)

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, value=double)
cpdef roc_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, value=double)
cpdef momentum_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, first=double, quick=double, calm=double, level=double, fast_weight=double,
    slow_weight=double, signal_weight=double, i=Py_ssize_t, value=double, gap=double)
cpdef macd_rows(const double[::1] x, Py_ssize_t fast, Py_ssize_t slow, Py_ssize_t signal,
    double[::1] line, double[::1] trigger, double[::1] hist, Py_ssize_t start, Py_ssize_t stop,
    double[::1] state)

@cython.locals(
    count=Py_ssize_t, first=double, quick=double, calm=double, fast_weight=double,
    slow_weight=double, i=Py_ssize_t, value=double)
cpdef ppo_rows(const double[::1] x, Py_ssize_t fast, Py_ssize_t slow, double[::1] out,
    Py_ssize_t start, Py_ssize_t stop, double[::1] state)
