"""Columns in large pages are columns as any other."""

from __future__ import annotations

import mmap
from array import array

import pytest

from trader.app.large_column import NUMBER_BYTES, PAGE_BYTES, large_column

ROWS = PAGE_BYTES // NUMBER_BYTES


@pytest.mark.parametrize("rows", [0, 1, ROWS, ROWS + 1, 3 * ROWS - 1])
def test_a_column_is_zeros_that_can_be_written(rows: int) -> None:
    column = large_column(rows)
    assert column == array("q", [0]) * rows
    for row in {0, rows // 2, rows - 1} & set(range(rows)):
        column[row] = -(2**63) + row
        assert column[row] == -(2**63) + row


def test_where_a_system_has_no_large_pages_the_column_is_ordinary(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(mmap, "MADV_HUGEPAGE", raising=False)
    assert isinstance(large_column(5 * ROWS), array)
