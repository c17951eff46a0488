cimport cython
from trader.core.ranges cimport spanned

cdef double nan

@cython.locals(known=bint, origin=cython.longlong, rest=cython.longlong)
cpdef Py_ssize_t session_age(long long at_ms, long long session_ms, Py_ssize_t age,
    double[::1] state, Py_ssize_t slot) noexcept

@cython.locals(rise=double, fall=double, plus=double, minus=double, span=double, lost=double)
cdef inline void directional(const double[::1] high, const double[::1] low,
    const double[::1] close, Py_ssize_t n, double weight, Py_ssize_t i, Py_ssize_t count,
    double[::1] state) noexcept

cpdef plus_di_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop, double[::1] state)

cpdef minus_di_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop, double[::1] state)

@cython.locals(count=Py_ssize_t, weight=double, i=Py_ssize_t, whole=double, value=double)
cdef inline void direction_rows(const double[::1] high, const double[::1] low,
    const double[::1] close, Py_ssize_t n, Py_ssize_t which, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state) noexcept

@cython.locals(
    count=Py_ssize_t, level=double, weight=double, i=Py_ssize_t, whole=double, both=double,
    gap=double, value=double)
cpdef adx_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop, double[::1] state)

@cython.locals(
    age=Py_ssize_t, side=double, stand=double, extreme=double, speed=double, i=Py_ssize_t,
    top=double, bottom=double, last_top=double, last_bottom=double, outer_top=double,
    outer_bottom=double, fall=double)
cpdef psar_rows(const long long[::1] open_ms, const double[::1] high, const double[::1] low,
    double step, double most, long long session_ms, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

cdef inline double inside(double stand, double side, double top, double bottom) noexcept

@cython.locals(
    age=Py_ssize_t, span=double, upper=double, lower=double, side=double, last=double,
    weight=double, i=Py_ssize_t, whole=double, before=double, middle=double, top=double,
    bottom=double, turned=bint)
cpdef supertrend_rows(const long long[::1] open_ms, const double[::1] high,
    const double[::1] low, const double[::1] close, Py_ssize_t n, double k,
    long long session_ms, double[::1] line, double[::1] direction, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, begin=double, end=double, i=Py_ssize_t, whole=double, outer=double,
    inner=double)
cpdef heikin_ashi_rows(const double[::1] opened, const double[::1] high, const double[::1] low,
    const double[::1] close, double[::1] open_line, double[::1] high_line, double[::1] low_line,
    double[::1] close_line, Py_ssize_t start, Py_ssize_t stop, double[::1] state)
