cimport cython

cpdef Py_ssize_t segment(zone, long long at_ms) except -1

cpdef bint is_known(zone, long long at_ms) except -1

cpdef long long wall_ms(zone, long long at_ms) except? -1

@cython.locals(at=Py_ssize_t, last=Py_ssize_t)
cpdef long long first_instant_ms(zone, long long shown_ms) except? -1

cpdef long long day_start_ms(long long number, day) except? -1

@cython.locals(number=cython.longlong)
cpdef long long day_of(long long at_ms, day) except? -1

cpdef long long week_of(long long number) except? -1

@cython.locals(wall=cython.longlong)
cpdef session_answer(calendar, long long at_ms)

@cython.locals(wall=cython.longlong, start=cython.longlong, length=cython.longlong,
    ends=cython.longlong, later=cython.longlong)
cpdef blackout_answer(calendar, long long at_ms)

@cython.locals(into_week=cython.longlong, start=cython.longlong, end=cython.longlong)
cdef long long _occurrence_ms(window, long long wall) except? -1

@cython.locals(low=Py_ssize_t, high=Py_ssize_t, middle=Py_ssize_t)
cdef _dated_at(dated, long long wall)

@cython.locals(at=Py_ssize_t, last=Py_ssize_t)
cdef long long _ends_ms(zone, long long at_ms, long long start, long long end) except? -1

@cython.locals(into_week=cython.longlong)
cdef long long _wait_ms(window, long long wall) except? -1
