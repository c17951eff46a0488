cimport cython

@cython.locals(
    count=Py_ssize_t, same=Py_ssize_t, i=Py_ssize_t, total=double, error=double, last=double,
    value=double, old=double, step=double, back=double, rest=double, made=double, whole=double)
cpdef sma_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
               Py_ssize_t stop, double[::1] state)

@cython.locals(j=Py_ssize_t, total=double, error=double, made=double, back=double)
cdef void add_window(const double[::1] x, Py_ssize_t first, Py_ssize_t stop,
                     double[::1] state) noexcept

cpdef ema_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
               Py_ssize_t stop, double[::1] state)

cpdef rma_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
               Py_ssize_t stop, double[::1] state)

@cython.locals(
    count=Py_ssize_t, i=Py_ssize_t, level=double, first=double, value=double)
cdef void faded_rows(const double[::1] x, Py_ssize_t n, double weight, double[::1] out,
                     Py_ssize_t start, Py_ssize_t stop, double[::1] state) noexcept

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, value=double)
cpdef wma_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
               Py_ssize_t stop, double[::1] state)

@cython.locals(newest=double, even=double, odd=double, j=Py_ssize_t)
cdef double weighted(const double[::1] x, Py_ssize_t first, Py_ssize_t n) noexcept

@cython.locals(
    count=Py_ssize_t, known=Py_ssize_t, place=Py_ssize_t, half=Py_ssize_t, short=Py_ssize_t,
    i=Py_ssize_t, raw=double, value=double)
cpdef hma_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
               Py_ssize_t stop, double[::1] state)

@cython.locals(j=Py_ssize_t)
cdef Py_ssize_t keep(double[::1] state, Py_ssize_t base, Py_ssize_t n, Py_ssize_t place,
                     double value) noexcept
