cimport cython

from trader.core.money cimport int128

cdef long long WIDTH, SUMS, LOW_BITS, LOW_MASK, MILLION, SHARE_MAX
cdef long long SYMBOL, OPENED, CLOSED, COST, FEE, RESULT

@cython.locals(
    at=Py_ssize_t, to=Py_ssize_t, result=cython.longlong, cost=cython.longlong,
    fee=cython.longlong, held=cython.longlong)
cpdef sum_by(const long long[::1] rows, Py_ssize_t column, long long[::1] out)

@cython.locals(at=Py_ssize_t, count=Py_ssize_t, cost=cython.longlong, wide=int128)
cpdef Py_ssize_t shares_of(const long long[::1] rows, long long[::1] out)

@cython.locals(at=Py_ssize_t, count=Py_ssize_t, number=Py_ssize_t, place=Py_ssize_t)
cpdef Py_ssize_t weightiest(
    const long long[::1] rows, long long symbol, Py_ssize_t most, long long[::1] out)

@cython.locals(weight=cython.longlong, beside=cython.longlong)
cdef bint _is_heavier(const long long[::1] rows, Py_ssize_t one, Py_ssize_t other)

@cython.locals(total=cython.longlong, now_ms=cython.longlong, next_ms=cython.longlong)
cpdef long long time_held(
    const long long[::1] opened_ms, const long long[::1] closed_ms, long long first_ms,
    long long last_ms, Py_ssize_t at, Py_ssize_t to)

@cython.locals(
    at=Py_ssize_t, to=Py_ssize_t, now_ms=cython.longlong, until_ms=cython.longlong,
    block=Py_ssize_t, last=Py_ssize_t)
cpdef most_held(
    const long long[::1] opened_ms, const long long[::1] closed_ms, long long start_ms,
    long long end_ms, long long[::1] out)

@cython.locals(block=Py_ssize_t)
cdef Py_ssize_t _block(long long at_ms, long long start_ms, long long end_ms, Py_ssize_t blocks)
