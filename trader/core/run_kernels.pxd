cimport cython

cdef long long PPM

@cython.locals(told=Py_ssize_t, i=Py_ssize_t)
cpdef Py_ssize_t flag_runs(const signed char[::1] flags, Py_ssize_t first, Py_ssize_t at, Py_ssize_t stop, int value, int[::1] out) noexcept

@cython.locals(total=Py_ssize_t, k=Py_ssize_t)
cpdef Py_ssize_t run_offsets(const int[::1] runs, int[::1] out) noexcept

@cython.locals(total=Py_ssize_t, last=Py_ssize_t, begin=Py_ssize_t, end=Py_ssize_t)
cpdef Py_ssize_t rows_within(const int[::1] runs, Py_ssize_t at, Py_ssize_t start, Py_ssize_t stop) noexcept

@cython.locals(place=Py_ssize_t, k=Py_ssize_t, row=Py_ssize_t)
cpdef void row_list(const int[::1] runs, int[::1] out) noexcept

@cython.locals(k=Py_ssize_t)
cpdef void picked_ticks(const long long[::1] a, const int[::1] rows, long long[::1] out) noexcept

@cython.locals(k=Py_ssize_t)
cpdef void picked_floats(const double[::1] a, Py_ssize_t first, const int[::1] rows, Py_ssize_t start, Py_ssize_t stop, double[::1] out) noexcept

@cython.locals(count=Py_ssize_t, k=Py_ssize_t)
cpdef Py_ssize_t bad_places(const double[::1] column, double least, double most, signed char[::1] bad) noexcept

@cython.locals(told=Py_ssize_t, k=Py_ssize_t)
cpdef Py_ssize_t row_runs(const int[::1] rows, int[::1] out) noexcept

@cython.locals(count=Py_ssize_t, j=Py_ssize_t, last=Py_ssize_t, k=Py_ssize_t)
cpdef Py_ssize_t drop_in(const int[::1] rows, const int[::1] runs, signed char[::1] dropped) noexcept

@cython.locals(place=Py_ssize_t, k=Py_ssize_t)
cpdef void kept_ints(const int[::1] a, const signed char[::1] dropped, int[::1] out) noexcept

@cython.locals(place=Py_ssize_t, k=Py_ssize_t)
cpdef void kept_floats(const double[::1] a, const signed char[::1] dropped, double[::1] out) noexcept

@cython.locals(found=Py_ssize_t, i=Py_ssize_t, there=cython.longlong, wanted=cython.longlong, since=cython.longlong)
cpdef Py_ssize_t missing_rows(const long long[::1] opens, Py_ssize_t first, Py_ssize_t at, Py_ssize_t stop, long long start_ms, long long step_ms, long long limit_ppm, int exact, signed char[::1] out) noexcept
