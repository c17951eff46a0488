cimport cython
from trader.core.averages cimport keep
from trader.core.trends cimport session_age

cdef double nan

@cython.locals(age=Py_ssize_t, last=double, total=double, i=Py_ssize_t, value=double)
cpdef obv_rows(const long long[::1] open_ms, const double[::1] close, const double[::1] volume,
    long long session_ms, double[::1] out, Py_ssize_t start, Py_ssize_t stop,
    double[::1] state)

@cython.locals(
    age=Py_ssize_t, first=double, weight=double, total=double, i=Py_ssize_t, typical=double,
    value=double)
cpdef session_vwap_rows(const long long[::1] open_ms, const double[::1] high,
    const double[::1] low, const double[::1] close, const double[::1] volume,
    long long session_ms, double[::1] out, Py_ssize_t start, Py_ssize_t stop,
    double[::1] state)

@cython.locals(
    count=Py_ssize_t, place=Py_ssize_t, i=Py_ssize_t, typical=double, total=double,
    weight=double, first=Py_ssize_t, j=Py_ssize_t, value=double)
cpdef vwap_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    const double[::1] volume, Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop,
    double[::1] state)

@cython.locals(
    count=Py_ssize_t, place=Py_ssize_t, i=Py_ssize_t, span=double, lean=double, flow=double,
    total=double, weight=double, first=Py_ssize_t, j=Py_ssize_t, value=double)
cpdef cmf_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    const double[::1] volume, Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop,
    double[::1] state)
