cimport cython


@cython.locals(
    made=Py_ssize_t, ends_ms=cython.longlong, i=Py_ssize_t, at_ms=cython.longlong)
cpdef Py_ssize_t group_columns(
    const long long[::1] open_ms, long long[::1] out_ms, const long long[::1] opened,
    const long long[::1] high, const long long[::1] low, const long long[::1] close,
    long long[::1] out_open, long long[::1] out_high, long long[::1] out_low,
    long long[::1] out_close, const double[::1] volume, double[::1] out_volume,
    Py_ssize_t start, Py_ssize_t stop, long long step_ms, long long origin_ms) except -1
