cimport cython
from trader.core.averages cimport keep, mean_of

cdef double nan

@cython.locals(best=Py_ssize_t, j=Py_ssize_t, older=Py_ssize_t)
cdef inline Py_ssize_t top_of(const double[::1] x, Py_ssize_t n, Py_ssize_t i, Py_ssize_t count,
    Py_ssize_t place, double[::1] state, Py_ssize_t carried, Py_ssize_t base) noexcept

@cython.locals(best=Py_ssize_t, j=Py_ssize_t, older=Py_ssize_t)
cdef inline Py_ssize_t bottom_of(const double[::1] x, Py_ssize_t n, Py_ssize_t i,
    Py_ssize_t count, Py_ssize_t place, double[::1] state, Py_ssize_t carried,
    Py_ssize_t base) noexcept

cdef inline Py_ssize_t placed(Py_ssize_t place, Py_ssize_t count, Py_ssize_t n) noexcept

@cython.locals(count=Py_ssize_t, place=Py_ssize_t, i=Py_ssize_t, best=Py_ssize_t)
cpdef highest_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(count=Py_ssize_t, place=Py_ssize_t, i=Py_ssize_t, best=Py_ssize_t)
cpdef lowest_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(count=Py_ssize_t, place=Py_ssize_t, i=Py_ssize_t, top=double, bottom=double)
cpdef donchian_rows(const double[::1] high, const double[::1] low, Py_ssize_t n,
    double[::1] upper, double[::1] middle, double[::1] lower, Py_ssize_t start, Py_ssize_t stop,
    double[::1] state)

@cython.locals(count=Py_ssize_t, place=Py_ssize_t, i=Py_ssize_t, top=double, bottom=double)
cpdef aroon_rows(const double[::1] high, const double[::1] low, Py_ssize_t n, double[::1] down,
    double[::1] up, Py_ssize_t start, Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, place=Py_ssize_t, raw_place=Py_ssize_t, kept=Py_ssize_t, i=Py_ssize_t,
    whole=double, top=double, bottom=double, raw=double, smoothed=double)
cpdef stoch_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    Py_ssize_t n, Py_ssize_t smooth, Py_ssize_t signal, double[::1] k, double[::1] d,
    Py_ssize_t start, Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, place=Py_ssize_t, i=Py_ssize_t, whole=double, top=double, bottom=double,
    value=double)
cpdef williams_r_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, second=Py_ssize_t, third=Py_ssize_t, kept=Py_ssize_t, i=Py_ssize_t,
    quick=double, calm=double, slow=double, slot=Py_ssize_t)
cpdef ichimoku_rows(const double[::1] high, const double[::1] low, Py_ssize_t conversion,
    Py_ssize_t base, Py_ssize_t span, double[::1] conversion_line, double[::1] base_line,
    double[::1] span_a, double[::1] span_b, Py_ssize_t start, Py_ssize_t stop,
    double[::1] state)

@cython.locals(place=Py_ssize_t, top=double, bottom=double)
cdef inline double middle_of(const double[::1] high, const double[::1] low, Py_ssize_t n,
    Py_ssize_t i, Py_ssize_t count, Py_ssize_t held, double[::1] state, Py_ssize_t carried,
    Py_ssize_t base) noexcept
