cimport cython

cdef long long MINUTE_MS
cdef long long A_DAY
cdef long long STAMPS
cdef long long MINUTES
cdef long long SHORT


cdef class LaneMessages:
    cdef public list log
    cdef public long long count, counted_at, counted_day, day_count, day_first, last_minute, new
    cdef public long long[::1] minute_at, minutes, stamp_at

    @cython.locals(minute=cython.longlong, slot=cython.longlong)
    cpdef note(self, long long at_ms)

    cdef long long most(self)

    cdef long long in_day(self, long long now_ms) except? -1

    @cython.locals(
        count=cython.longlong, oldest=cython.longlong, i=cython.longlong, last=cython.longlong)
    cpdef long long after(self, long long after_ms) except? -1

    @cython.locals(count=cython.longlong, minute=cython.longlong, slot=cython.longlong)
    cdef long long _since(self, long long first) except? -1
