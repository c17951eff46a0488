cimport cython

from trader.core.money cimport share_down


cdef class TierSums:
    cdef public long long exposure_units, exposure_units_max, positions, positions_max


cpdef (bint, long long, long long) tier_positions(TierSums sums) noexcept
cpdef (bint, long long, long long) tier_weight(TierSums sums) noexcept

@cython.locals(sums=TierSums, cost=cython.longlong)
cpdef TierSums tier_sums(totals, proposal, specs, tier, long long equity)
