"""Which symbols a pair or pattern stands for."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.domain.pairs import PairSet, is_pattern, pair_matches, pair_set

ROWS = [
    # pattern, symbol, whether it stands for it
    ("BTC/USDT", "BTC/USDT", True),
    ("BTC/USDT", "BTC/USD", False),
    (".*/USDT", "BTC/USDT", True),
    (".*/USDT", "BTC/USDC", False),
    (".*/USDT", "BTC/USDT:USDT", False),
    (".*/USDT", "USDT", False),
    (".*UP/USDT", "BTCUP/USDT", True),
    (".*UP/USDT", "UP/USDT", True),
    (".*UP/USDT", "UPBTC/USDT", False),
    ("1000.*/USDT", "1000SHIB/USDT", True),
    ("A.*A/USDT", "A/USDT", False),
    ("A.*A/USDT", "AA/USDT", True),
    ("A.*B.*C/USDT", "AXBXC/USDT", True),
    ("A.*B.*B/USDT", "AB/USDT", False),
    ("A.*B.*B/USDT", "ABB/USDT", True),
]


@pytest.mark.parametrize(("pattern", "symbol", "expected"), ROWS)
def test_a_pattern_stands_for_what_it_says(pattern: str, symbol: str, expected: bool) -> None:
    assert pair_matches(pattern, symbol) is expected


def test_a_plain_pair_is_no_pattern() -> None:
    assert [is_pattern(text) for text in ("BTC/USDT", ".*/USDT")] == [False, True]


@given(
    pieces=st.lists(st.text("AB1", max_size=3), min_size=1, max_size=4),
    base=st.text("AB1", max_size=10),
)
def test_a_pattern_means_what_a_regular_expression_would(pieces: list[str], base: str) -> None:
    pattern = ".*".join(pieces)
    meant = re.fullmatch(pattern.replace(".*", "[A-Z0-9]*"), base) is not None
    assert pair_matches(f"{pattern}/USDT", f"{base}/USDT") is meant


def test_a_set_of_pairs_holds_names_and_what_its_patterns_stand_for() -> None:
    pairs = PairSet(["BTC/USDT", ".*UP/USDT"])
    asked = ["BTC/USDT", "ETHUP/USDT", "ETH/USDT", "ETHUP/USDC", "BTC/USDT"]
    assert [symbol in pairs for symbol in asked] == [True, True, False, False, True]
    assert pair_set(("BTC/USDT",)) is pair_set(("BTC/USDT",))
