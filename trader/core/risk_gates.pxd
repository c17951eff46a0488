cimport cython

cdef class RiskSums:
    cdef public long long asset_units, asset_units_max, capital_units, correlated_count
    cdef public long long correlated_units, correlated_units_max, duplicates, faults, messages
    cdef public long long messages_max, pending_units, pending_units_max, used_units, var_units
    cdef public long long var_units_max, wait_ms
    cdef public object messages_window, unapproved, var_unknown


cpdef (bint, long long, long long) approved(RiskSums sums)
cpdef (bint, long long, long long) venue(RiskSums sums) noexcept
cpdef (bint, long long, long long) duplicate(RiskSums sums) noexcept
cpdef (bint, long long, long long) messages(RiskSums sums) noexcept
cpdef (bint, long long, long long) asset_exposure(RiskSums sums) noexcept

@cython.locals(limit=cython.longlong, measured=cython.longlong)
cpdef (bint, long long, long long) pending_exposure(RiskSums sums) noexcept

@cython.locals(limit=cython.longlong, measured=cython.longlong)
cpdef (bint, long long, long long) correlated_exposure(RiskSums sums) noexcept

cpdef (bint, long long, long long) value_at_risk(RiskSums sums) noexcept
cpdef (bint, long long, long long) capital(RiskSums sums) noexcept
