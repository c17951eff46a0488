cimport cython

@cython.locals(i=Py_ssize_t, rows=Py_ssize_t, below=cython.schar)
cpdef void mark_crosses(const double[::1] a, const double[::1] b, signed char[::1] out) noexcept
