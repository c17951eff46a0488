cimport cython

cdef class BookSums:
    cdef public long long fallen_limit_units, fallen_units, rolling_limit_units
    cdef public long long rolling_loss_units, stopped, unattended, unattended_max


@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) rolling_loss(BookSums sums) noexcept

cpdef (bint, long long, long long) strategy_drawdown(BookSums sums) noexcept
cpdef (bint, long long, long long) unattended(BookSums sums) noexcept
