cdef class BookSums:
    cdef public long long fallen_limit_units, fallen_units, rolling_limit_units
    cdef public long long rolling_loss_units, stopped, unattended, unattended_max


cpdef tuple rolling_loss(BookSums sums)
cpdef tuple strategy_drawdown(BookSums sums)
cpdef tuple unattended(BookSums sums)
