cimport cython
cimport libc.math as math

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, both=double)
cpdef to_correlations(const double[::1] matrix, Py_ssize_t n, double[::1] out)

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, others=double)
cpdef one_round(const double[::1] matrix, Py_ssize_t n, double[::1] x)

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, along=double, gap=double, total=double)
cpdef double distance(const double[::1] matrix, Py_ssize_t n, double[::1] x) except? -1.0
