cimport cython
from trader.core.money cimport mul_div_down

cdef long long GAIN_MAX
cdef long long ABSENT
cdef long long MILLION
cdef long long DAY_MS

@cython.locals(i=Py_ssize_t, back=cython.longlong)
cpdef told_returns(const long long[::1] open_ms, const long long[::1] close, long long last_ms,
    long long days)

@cython.locals(i=Py_ssize_t, count=cython.longlong)
cpdef long long known_days(const long long[::1] told)

@cython.locals(i=Py_ssize_t, high=cython.longlong, low=cython.longlong)
cpdef add_results(long long[::1] results, const long long[::1] row, long long value_units)

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, last=Py_ssize_t, high=cython.longlong,
    low=cython.longlong, loss=cython.longlong)
cpdef long long loss_exceeded_rarely(const long long[::1] results, const long long[::1] row,
    long long value_units, long long[::1] worst)

@cython.locals(i=Py_ssize_t, a=cython.longlong, b=cython.longlong, days=cython.longlong,
    ones=cython.longlong, others=cython.longlong, squares=cython.longlong,
    other_squares=cython.longlong, products=cython.longlong)
cpdef moments(const long long[::1] one, const long long[::1] other)
