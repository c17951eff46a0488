cimport cython

@cython.locals(i=Py_ssize_t, j=Py_ssize_t, k=Py_ssize_t, total=double, mean=double)
cpdef covariance_rows(double[::1] flat, Py_ssize_t n, Py_ssize_t rows, double[::1] out)

@cython.locals(i=Py_ssize_t, j=Py_ssize_t)
cpdef shrink(double[::1] matrix, Py_ssize_t n, double share)
