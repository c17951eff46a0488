cdef class RiskSums:
    cdef public long long asset_units, asset_units_max, capital_units, correlated_count
    cdef public long long correlated_units, correlated_units_max, duplicates, faults, messages
    cdef public long long messages_max, pending_units, pending_units_max, used_units, var_units
    cdef public long long var_units_max, wait_ms
    cdef public object messages_window, unapproved, var_unknown


cpdef tuple approved(RiskSums sums)
cpdef tuple venue(RiskSums sums)
cpdef tuple duplicate(RiskSums sums)
cpdef tuple messages(RiskSums sums)
cpdef tuple asset_exposure(RiskSums sums)
cpdef tuple pending_exposure(RiskSums sums)
cpdef tuple correlated_exposure(RiskSums sums)
cpdef tuple value_at_risk(RiskSums sums)
cpdef tuple capital(RiskSums sums)
