cdef class AccountSums:
    cdef public long long all_exposure_units, all_exposure_units_max, all_loss_units
    cdef public long long all_loss_units_max, day_limit_units, day_loss_units, day_stopped
    cdef public long long drawdown_limit_units, drawdown_stopped, drawdown_units
    cdef public long long own_exposure_units, own_exposure_units_max, own_loss_units
    cdef public long long own_loss_units_max, own_positions, own_positions_max, own_trades_day
    cdef public long long own_trades_day_max, trades_day, trades_day_max, trades_hour
    cdef public long long trades_hour_max


cpdef tuple day_stop(AccountSums sums)
cpdef tuple drawdown(AccountSums sums)
cpdef tuple trades_hour(AccountSums sums)
cpdef tuple trades_day(AccountSums sums)
cpdef tuple exposure_total(AccountSums sums)
cpdef tuple loss_total(AccountSums sums)
cpdef tuple budget_exposure(AccountSums sums)
cpdef tuple budget_loss(AccountSums sums)
cpdef tuple budget_positions(AccountSums sums)
cpdef tuple budget_trades_day(AccountSums sums)
