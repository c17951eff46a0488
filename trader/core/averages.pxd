cimport cython

cdef double nan
cdef double LOOK
cdef double SAFE
cdef double SPAN

@cython.locals(i=Py_ssize_t, left=Py_ssize_t, end=Py_ssize_t, made=Py_ssize_t)
cpdef sma_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(
    total=double, error=double, mean=double, old=double, i=Py_ssize_t, value=double,
    step=double, made=double)
cdef inline Py_ssize_t slide_rows(const double[::1] x, Py_ssize_t n, double[::1] out,
    Py_ssize_t start, Py_ssize_t stop, double[::1] state) noexcept

@cython.locals(
    value=double, whole=double, old=double, total=double, step=double, back=double, rest=double,
    made=double, slip=double)
cdef inline void mean_row(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t i,
    double[::1] state) noexcept

@cython.locals(value=double, j=Py_ssize_t)
cdef inline bint level_from(const double[::1] x, Py_ssize_t first, Py_ssize_t last) noexcept

@cython.locals(total=double, error=double, j=Py_ssize_t, made=double, back=double)
cdef inline void add_window(const double[::1] x, Py_ssize_t first, Py_ssize_t stop,
    double[::1] state) noexcept

cdef inline double absolute(double value) noexcept

cpdef ema_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

cpdef rma_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(count=Py_ssize_t, level=double, first=double, i=Py_ssize_t, value=double)
cdef inline void faded_rows(const double[::1] x, Py_ssize_t n, double weight, double[::1] out,
    Py_ssize_t start, Py_ssize_t stop, double[::1] state) noexcept

@cython.locals(
    kept=Py_ssize_t, last=Py_ssize_t, b=Py_ssize_t, c=Py_ssize_t, d=Py_ssize_t, e=Py_ssize_t,
    i=Py_ssize_t, j=Py_ssize_t, k=Py_ssize_t, m=Py_ssize_t, r=Py_ssize_t, first=double,
    second=double, third=double, fourth=double, one=double, two=double, three=double, four=double)
cpdef void faded_tiles(const double[::1] x, Py_ssize_t n, double weight, Py_ssize_t warm,
    Py_ssize_t own, Py_ssize_t depth, Py_ssize_t count, double[::1] out) noexcept

@cython.locals(place=Py_ssize_t, b=Py_ssize_t, begin=Py_ssize_t, r=Py_ssize_t)
cpdef void tile_rows(const double[::1] x, Py_ssize_t warm, Py_ssize_t own, Py_ssize_t depth,
    Py_ssize_t count, double[::1] out) noexcept

@cython.locals(count=Py_ssize_t, i=Py_ssize_t, value=double)
cpdef wma_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(newest=double, even=double, odd=double, j=Py_ssize_t)
cdef inline double weighted(const double[::1] x, Py_ssize_t first, Py_ssize_t n) noexcept

@cython.locals(
    count=Py_ssize_t, known=Py_ssize_t, place=Py_ssize_t, half=Py_ssize_t, short=Py_ssize_t,
    i=Py_ssize_t, raw=double, value=double)
cpdef hma_rows(const double[::1] x, Py_ssize_t n, double[::1] out, Py_ssize_t start,
    Py_ssize_t stop, double[::1] state)

@cython.locals(j=Py_ssize_t)
cpdef Py_ssize_t keep(double[::1] state, Py_ssize_t base, Py_ssize_t n, Py_ssize_t place,
    double value) noexcept

@cython.locals(newest=double, shift=double, j=Py_ssize_t)
cpdef double mean_of(const double[::1] x, Py_ssize_t first, Py_ssize_t n) noexcept
