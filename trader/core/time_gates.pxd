cdef class TimeSums:
    cdef public long long blackout_ms, close_ms, cooldown_ms, now_ms, session_ms
    cdef public object blackout_name, cooldown_name, session_name


cpdef tuple session(TimeSums sums)
cpdef tuple blackout(TimeSums sums)
cpdef tuple cooldown(TimeSums sums)
