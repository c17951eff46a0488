cimport cython

from trader.core.exact cimport quotient

cdef long long DAY_MS
cdef long long SMALL

@cython.locals(
    n=Py_ssize_t, count=Py_ssize_t, bars=Py_ssize_t, i=Py_ssize_t, last_ms=cython.longlong,
    low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t)
cpdef Py_ssize_t day_ends(
    const long long[::1] opens_ms, long long later_ms, long long[::1] out)

@cython.locals(k=Py_ssize_t)
cpdef values_at(
    const long long[::1] units, Py_ssize_t before, const long long[::1] rows, Py_ssize_t first,
    Py_ssize_t stop, long long[::1] out)

@cython.locals(
    count=Py_ssize_t, first=cython.longlong, before=cython.longlong, k=Py_ssize_t,
    now=cython.longlong, day=cython.longlong)
cpdef Py_ssize_t day_returns(
    const long long[::1] values, long long start, const long long[::1] opens_ms,
    long long later_ms, const long long[::1] rows, double[::1] out) except -1

cpdef begin_fall(long long start, long long[::1] out)

@cython.locals(
    high=cython.longlong, lowest=cython.longlong, high_row=cython.longlong,
    share=double, top=cython.longlong, upper=cython.longlong, lower=cython.longlong,
    i=Py_ssize_t, k=Py_ssize_t, until=Py_ssize_t, part=cython.longlong, beyond=cython.longlong,
    now=cython.longlong, fallen=double)
cpdef double follow_fall(
    const long long[::1] units, Py_ssize_t at, Py_ssize_t stop, long long row,
    long long[::1] out)

@cython.locals(
    n=Py_ssize_t, count=Py_ssize_t, block=Py_ssize_t, last=Py_ssize_t, i=Py_ssize_t,
    stop=Py_ssize_t, low=Py_ssize_t, top=Py_ssize_t, first=Py_ssize_t, second=Py_ssize_t)
cpdef Py_ssize_t drawn_rows(const long long[::1] units, Py_ssize_t blocks, long long[::1] out)

@cython.locals(high=cython.longlong, i=Py_ssize_t, k=Py_ssize_t, stop=Py_ssize_t)
cpdef highs_at(const long long[::1] units, long long start, const long long[::1] rows,
    long long[::1] out)
