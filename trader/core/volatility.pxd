cimport cython

@cython.locals(
    keep=double, total=double, weight=double, before=double, after=double, move=double,
    i=Py_ssize_t)
cpdef double ewma_variance(const long long[::1] closes, Py_ssize_t first, Py_ssize_t stop,
    double span) except? -1.0
