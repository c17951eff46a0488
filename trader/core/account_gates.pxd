cimport cython

cdef class AccountSums:
    cdef public long long all_exposure_units, all_exposure_units_max, all_loss_units
    cdef public long long all_loss_units_max, day_limit_units, day_loss_units, day_stopped
    cdef public long long drawdown_limit_units, drawdown_stopped, drawdown_units
    cdef public long long own_exposure_units, own_exposure_units_max, own_loss_units
    cdef public long long own_loss_units_max, own_positions, own_positions_max, own_trades_day
    cdef public long long own_trades_day_max, trades_day, trades_day_max, trades_hour
    cdef public long long trades_hour_max


cpdef (bint, long long, long long) day_stop(AccountSums sums) noexcept
cpdef (bint, long long, long long) drawdown(AccountSums sums) noexcept
cpdef (bint, long long, long long) trades_hour(AccountSums sums) noexcept
cpdef (bint, long long, long long) trades_day(AccountSums sums) noexcept

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) exposure_total(AccountSums sums) noexcept

cpdef (bint, long long, long long) loss_total(AccountSums sums) noexcept

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) budget_exposure(AccountSums sums) noexcept

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) budget_loss(AccountSums sums) noexcept

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) budget_positions(AccountSums sums) noexcept

@cython.locals(limit=cython.longlong)
cpdef (bint, long long, long long) budget_trades_day(AccountSums sums) noexcept
