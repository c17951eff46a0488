cimport cython

from trader.core.lane_books cimport LaneBooks
from trader.core.lane_messages cimport LaneMessages
from trader.core.lane_rows cimport LaneDay

cdef long long SENT
cdef long long STAMPS
cdef long long MINUTES


cpdef load_day(LaneDay day, object row)

@cython.locals(slot=Py_ssize_t, day=LaneDay, key=str)
cpdef store_days(dict kept, str name, list days)

@cython.locals(names=list, number=cython.longlong, slot=Py_ssize_t)
cpdef store_sent(dict kept, LaneBooks books)

@cython.locals(number=cython.longlong, slot=Py_ssize_t, every=cython.bint)
cpdef store_messages(dict kept, LaneMessages messages)
