cimport cython
cimport libc.math as math

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, value=double, both=double)
cpdef bint to_correlations(const double[::1] matrix, Py_ssize_t n, double[::1] out) except? 0

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, others=double, root=double, made=double)
cpdef bint one_round(const double[::1] matrix, Py_ssize_t n, double[::1] x) except? 0

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, along=double, gap=double, most=double)
cpdef double farthest(const double[::1] matrix, Py_ssize_t n, double[::1] x) except? -1.0
