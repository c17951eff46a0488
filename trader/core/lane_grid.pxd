cimport cython


@cython.locals(i=Py_ssize_t, rows=Py_ssize_t)
cpdef bint same_grid(const long long[::1] one, const long long[::1] other)

@cython.locals(
    i=Py_ssize_t, j=Py_ssize_t, count=Py_ssize_t, rows=Py_ssize_t, others=Py_ssize_t,
    value=cython.longlong)
cpdef Py_ssize_t merge(const long long[::1] one, const long long[::1] other, long long[::1] out)
