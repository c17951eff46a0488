cimport cython

cdef long long EXACT


@cython.locals(
    upper=double, lower=double, head=double, head_rest=double, base=double, base_rest=double,
    found=double, scaled=double, base_upper=double, base_lower=double, product=double,
    error=double, more=double, slack=double, exact_part=object, exact_whole=object)
cpdef double quotient(long long part, long long whole) except? -1

@cython.locals(
    n=Py_ssize_t, i=Py_ssize_t, value=double, total=double, rest=double, largest=double,
    before=double, added=double, slack=double)
cpdef double exact_sum(const double[::1] values) except? -1
