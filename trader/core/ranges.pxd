cimport cython

cdef double nan

@cython.locals(count=Py_ssize_t, last=double, i=Py_ssize_t, span=double, whole=double)
cpdef true_range_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    double[::1] out, Py_ssize_t start, Py_ssize_t stop, double[::1] state)

@cython.locals(top=double, bottom=double)
cpdef double spanned(double high, double low, double last) noexcept

@cython.locals(
    count=Py_ssize_t, last=double, level=double, weight=double, i=Py_ssize_t, whole=double,
    span=double)
cpdef atr_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop, double[::1] state)

@cython.locals(i=Py_ssize_t, value=double)
cpdef natr_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    Py_ssize_t n, double[::1] out, Py_ssize_t start, Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, last=double, span=double, level=double, first=double, begun=Py_ssize_t,
    slowly=double, weight=double, i=Py_ssize_t, typical=double, step=double, top=double)
cpdef keltner_rows(const double[::1] high, const double[::1] low, const double[::1] close,
    Py_ssize_t n, Py_ssize_t atr, double k, double[::1] upper, double[::1] middle,
    double[::1] lower, Py_ssize_t start, Py_ssize_t stop, double[::1] state)
