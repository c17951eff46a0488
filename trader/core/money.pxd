cimport cython

cdef extern from *:
    """
    typedef __int128 trader_int128;
    """
    ctypedef long long int128 "trader_int128"

cdef long long LIMIT
cdef long long MILLION
cdef long long SMALL

@cython.locals(product=int128, quotient=int128, small=cython.longlong)
cpdef long long mul_div_down(long long a, long long b, long long c) except? -1

@cython.locals(
    product=int128, quotient=int128, small=cython.longlong, whole=cython.longlong)
cpdef long long mul_div_up(long long a, long long b, long long c) except? -1

@cython.locals(found=int128)
cpdef long long product(long long a, long long b) except? -1

@cython.locals(whole=cython.longlong)
cpdef long long share_down(long long amount, long long ppm) except? -1

@cython.locals(whole=cython.longlong)
cpdef long long share_up(long long amount, long long ppm) except? -1

@cython.locals(raised=cython.longlong)
cpdef long long price_up(long long price_ticks, long long ppm) except? -1

@cython.locals(lowered=cython.longlong)
cpdef long long price_down(long long price_ticks, long long ppm) except? -1

cpdef long long limit_units(long long base_units, long long ppm) except? -1
