cimport cython

from trader.core.book_gates cimport BookSums


@cython.locals(sums=BookSums)
cpdef BookSums book_sums(desk, strategy)
