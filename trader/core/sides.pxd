cimport cython

from trader.core.averages cimport sma_rows
from trader.core.rule_kernels cimport price_rows

cdef long long STATE
cdef long long EXACT

@cython.locals(stop=Py_ssize_t, i=Py_ssize_t, j=Py_ssize_t, k=Py_ssize_t, beyond=cython.longlong, low=cython.longlong, high=cython.longlong)
cpdef void tick_spans(const long long[::1] a, Py_ssize_t tile, Py_ssize_t size, long long[::1] least, long long[::1] most) noexcept

@cython.locals(gap=cython.longlong, i=Py_ssize_t, j=Py_ssize_t, was=int, side=int, count=Py_ssize_t)
cpdef Py_ssize_t side_rows(const long long[::1] a, Py_ssize_t n, const long long[::1] b, Py_ssize_t m, Py_ssize_t start, Py_ssize_t stop, int same, long long numerator, long long denominator, int[::1] rows, signed char[::1] sides, double[::1] work, double[::1] state) except -1

@cython.locals(j=Py_ssize_t, far=Py_ssize_t, one=double, other=double)
cdef int exact_side(const long long[::1] a, Py_ssize_t n, const long long[::1] b, Py_ssize_t m, Py_ssize_t i, int same, long long numerator, long long denominator, double[::1] work, double[::1] state) except -2

@cython.locals(j=Py_ssize_t)
cdef double exact_mean(const long long[::1] a, Py_ssize_t n, Py_ssize_t i, long long numerator, long long denominator, double[::1] work, double[::1] state) except? -1.0

@cython.locals(told=Py_ssize_t, k=Py_ssize_t, begin=Py_ssize_t, end=Py_ssize_t, side=int)
cpdef Py_ssize_t runs_on(const int[::1] rows, const signed char[::1] sides, Py_ssize_t count, Py_ssize_t first, Py_ssize_t stop, int wanted, int crossing, int[::1] out) noexcept
