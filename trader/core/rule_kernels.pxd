cimport cython

cdef double FLOAT_MOST

@cython.locals(i=Py_ssize_t)
cpdef void number_rows(double value, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, value=double)
cpdef void add_rows(const double[::1] a, const double[::1] b, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, value=double)
cpdef void sub_rows(const double[::1] a, const double[::1] b, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, value=double)
cpdef void mul_rows(const double[::1] a, const double[::1] b, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, value=double)
cpdef void div_rows(const double[::1] a, const double[::1] b, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, one=double, other=double)
cpdef void min_rows(const double[::1] a, const double[::1] b, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, one=double, other=double)
cpdef void max_rows(const double[::1] a, const double[::1] b, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, value=double)
cpdef void neg_rows(const double[::1] a, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, value=double)
cpdef void abs_rows(const double[::1] a, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t)
cpdef void mean2_rows(const double[::1] a, const double[::1] b, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t)
cpdef void mean3_rows(const double[::1] a, const double[::1] b, const double[::1] c, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t)
cpdef void mean4_rows(const double[::1] a, const double[::1] b, const double[::1] c, const double[::1] d, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, fits=int, below=double, tick=cython.longlong, above=cython.longlong)
cpdef int price_rows(const long long[::1] ticks, long long numerator, long long denominator, long long most, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, one=double, other=double)
cpdef void gt_rows(const double[::1] a, const double[::1] b, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, one=double, other=double)
cpdef void ge_rows(const double[::1] a, const double[::1] b, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, one=double, other=double)
cpdef void eq_rows(const double[::1] a, const double[::1] b, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, one=double, other=double)
cpdef void ne_rows(const double[::1] a, const double[::1] b, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, held=int)
cpdef void not_rows(const signed char[::1] a, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, one=int, other=int)
cpdef void and_rows(const signed char[::1] a, const signed char[::1] b, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, one=int, other=int)
cpdef void or_rows(const signed char[::1] a, const signed char[::1] b, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t)
cpdef void back_rows(const double[::1] a, Py_ssize_t k, double[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t)
cpdef void back_flags(const signed char[::1] a, Py_ssize_t k, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, was=int, side=int)
cpdef void crosses_rows(const double[::1] a, const double[::1] b, signed char[::1] above, signed char[::1] below, Py_ssize_t start, Py_ssize_t stop) noexcept

cdef int _side(double one, double other) noexcept

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, held=int)
cpdef void rising_rows(const double[::1] a, Py_ssize_t n, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, held=int)
cpdef void falling_rows(const double[::1] a, Py_ssize_t n, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, yes=Py_ssize_t, unknown=Py_ssize_t, first=Py_ssize_t)
cpdef void any_rows(const signed char[::1] a, Py_ssize_t n, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, no=Py_ssize_t, unknown=Py_ssize_t, first=Py_ssize_t)
cpdef void all_rows(const signed char[::1] a, Py_ssize_t n, signed char[::1] out, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, last=Py_ssize_t)
cpdef void newest_closed_rows(const long long[::1] open_ms, long long shift_ms, const long long[::1] other_open_ms, long long first, long long[::1] out) noexcept

@cython.locals(i=Py_ssize_t)
cpdef void spread_rows(const double[::1] a, Py_ssize_t first, Py_ssize_t begin, Py_ssize_t end, const long long[::1] index, double[::1] out) noexcept

@cython.locals(i=Py_ssize_t)
cpdef void spread_flags(const signed char[::1] a, Py_ssize_t first, Py_ssize_t begin, Py_ssize_t end, const long long[::1] index, signed char[::1] out) noexcept

@cython.locals(i=Py_ssize_t, least=double, most=double, value=double)
cpdef int near_rows(const double[::1] a, Py_ssize_t start, Py_ssize_t stop, double factor) noexcept
