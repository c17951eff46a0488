cdef class BookSums:
    cdef public long long fallen_limit_units, fallen_units, rolling_limit_units
    cdef public long long rolling_loss_units, stopped, unattended, unattended_max


cpdef (bint, long long, long long) rolling_loss(BookSums sums)
cpdef (bint, long long, long long) strategy_drawdown(BookSums sums)
cpdef (bint, long long, long long) unattended(BookSums sums)
