cimport cython
cimport libc.math as math
from trader.core.averages cimport mean_of

cdef double nan
cdef double ROUNDING

cdef inline Py_ssize_t counted(double value, Py_ssize_t count) noexcept

@cython.locals(total=double, j=Py_ssize_t, gap=double)
cdef inline double scatter(const double[::1] x, Py_ssize_t first, Py_ssize_t n,
    double mean) noexcept

cdef inline double slack(double mean) noexcept

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, value=double)
cpdef variance_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(i=Py_ssize_t)
cpdef stdev_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, mean=double, spread=double, value=double)
cpdef zscore_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, mean=double, reach=double)
cpdef bbands_rows(const double[::1] x, Py_ssize_t n, double k, double[::1] upper,
    double[::1] middle, double[::1] lower, Py_ssize_t start, Py_ssize_t stop,
    double[::1] state)

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, value=double, below=Py_ssize_t, j=Py_ssize_t)
cpdef percentrank_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(newest=double, half=double, total=double, j=Py_ssize_t)
cdef inline double inclined(const double[::1] x, Py_ssize_t first, Py_ssize_t n) noexcept

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, value=double)
cpdef slope_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, value=double)
cpdef linreg_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, i=Py_ssize_t, first=Py_ssize_t, mean=double, other=double, shared=double,
    j=Py_ssize_t, wide=double, broad=double, value=double)
cpdef correlation_rows(const double[::1] x, const double[::1] y, Py_ssize_t n, double[::1] out,
    Py_ssize_t start, Py_ssize_t stop, double[::1] state)
