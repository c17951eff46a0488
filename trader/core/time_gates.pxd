cdef class TimeSums:
    cdef public long long blackout_ms, close_ms, cooldown_ms, now_ms, session_ms
    cdef public object blackout_name, cooldown_name, session_name


cpdef (bint, long long, long long) session(TimeSums sums) noexcept
cpdef (bint, long long, long long) blackout(TimeSums sums) noexcept
cpdef (bint, long long, long long) cooldown(TimeSums sums) noexcept
