cimport cython

cdef long long _SKIP, _TIME, _OPEN, _HIGH, _LOW, _CLOSE, _VOLUME, _SYMBOL, _CLOSED
cdef long long DIGITS_MAX, TEXT_BYTES_MAX, NUMBER_MOST
cdef long long SHADOW_LEAST, SHADOW_RELATIVE, SHADOW_OF_UNIT, STAMP_MS_MAX, STAMP_MOST, DATE_BYTES_MAX
cdef long long DAY_MS, NEWLINE, ZERO, EXACT

@cython.final
cdef class RowText:
    cdef const long long[::1] roles
    cdef const long long[::1] powers
    cdef const long long[::1] months
    cdef const double[::1] tens
    cdef long long[::1] values
    cdef bytes symbol
    cdef bytes closed
    cdef Py_ssize_t width
    cdef Py_ssize_t stop
    cdef public Py_ssize_t at
    cdef long long delimiter
    cdef long long amount_max
    cdef long long clock
    cdef double traded
    cdef public long long needed
    cdef public long long last_ms
    cdef public long long digits
    cdef public long long coefficient
    cdef public long long snaps
    cdef public long long snapped
    cdef long long row_snapped
    cdef public long long times
    cdef public long long over
    cdef public long long offset_ms
    cdef public long long step

    @cython.locals(
        text="const unsigned char *", stop=Py_ssize_t, room=Py_ssize_t, count=Py_ssize_t,
        open_ms="long long[::1]", opened="long long[::1]", high="long long[::1]",
        low="long long[::1]", close="long long[::1]")
    cpdef Py_ssize_t read(self, bytes data, Py_ssize_t at, tuple prices, double[::1] volume) except -1

    @cython.locals(column=Py_ssize_t, role=cython.longlong, opened=cython.longlong,
        high=cython.longlong, low=cython.longlong, close=cython.longlong)
    cdef inline Py_ssize_t line(self, const unsigned char *text, Py_ssize_t at) except -2

    cdef inline Py_ssize_t skip(self, const unsigned char *text, Py_ssize_t at) noexcept

    @cython.locals(i=Py_ssize_t)
    cdef inline Py_ssize_t same(self, const unsigned char *text, Py_ssize_t at, bytes wanted) except -2

    @cython.locals(begin=Py_ssize_t, point=Py_ssize_t, number=cython.longlong,
        digit=cython.longlong, decimals=cython.longlong)
    cdef inline Py_ssize_t price(self, const unsigned char *text, Py_ssize_t at, long long role) except -2

    @cython.locals(dropped=cython.longlong, unit=cython.longlong, kept=cython.longlong,
        error=cython.longlong)
    cdef inline (long long, long long) shortened(self, long long number, long long decimals) noexcept

    @cython.locals(scale=cython.longlong)
    cdef inline long long keep_price(self, long long number, long long decimals, long long role) noexcept

    @cython.locals(begin=Py_ssize_t, point=Py_ssize_t, number=cython.longlong,
        digit=cython.longlong, decimals=cython.longlong, count=cython.longlong)
    cdef inline Py_ssize_t quantity(self, const unsigned char *text, Py_ssize_t at) except -2

    @cython.locals(begin=Py_ssize_t, number=cython.longlong)
    cdef inline Py_ssize_t stamp(self, const unsigned char *text, Py_ssize_t at) noexcept

    cdef inline long long keep_time(self, long long at_ms) noexcept

    @cython.locals(year=cython.longlong, month=cython.longlong, day=cython.longlong,
        leap=cython.bint, length=cython.longlong, days=cython.longlong)
    cdef inline Py_ssize_t date(self, const unsigned char *text, Py_ssize_t at) except -2

    @cython.locals(hour=cython.longlong, minute=cython.longlong, second=cython.longlong,
        thousandths=cython.longlong)
    cdef inline Py_ssize_t time_of_day(self, const unsigned char *text, Py_ssize_t at) except -2

    cdef inline long long two(self, const unsigned char *text, Py_ssize_t at) noexcept

@cython.locals(i=Py_ssize_t, count=cython.longlong, distance=cython.longlong)
cpdef long long count_step(const long long[::1] open_ms, long long step_ms, list others) except -1

@cython.locals(i=Py_ssize_t, count=cython.longlong)
cpdef long long count_zeros(const double[::1] volume) noexcept

@cython.locals(i=Py_ssize_t)
cpdef void scale_by(long long[::1] values, long long times) noexcept
