"""Numbers as people write them, by table: the canonical value, or a refusal with a hint."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.policy import quantities
from trader.policy.fields import Name, Number, Timeframe
from trader.policy.quantities import BadText

GOOD: list[tuple[Callable[[str], object], str, object]] = [
    (quantities.share_ppm, "0.05", 50_000),
    (quantities.share_ppm, "5%", 50_000),
    (quantities.share_ppm, "5 %", 50_000),
    (quantities.share_ppm, "500bps", 50_000),
    (quantities.share_ppm, "500 bps", 50_000),
    (quantities.share_ppm, "0.000001", 1),
    (quantities.share_ppm, "0.01bps", 1),
    (quantities.share_ppm, "0.0001%", 1),
    (quantities.share_ppm, "0", 0),
    (quantities.share_ppm, "-1%", -10_000),
    (quantities.duration_ms, "0s", 0),
    (quantities.duration_ms, "250ms", 250),
    (quantities.duration_ms, "90s", 90_000),
    (quantities.duration_ms, "5m", 300_000),
    (quantities.duration_ms, "2h", 7_200_000),
    (quantities.duration_ms, "1d", 86_400_000),
    (quantities.parse_integer, "-0", 0),
    (quantities.parse_integer, "123456789012345678", 123456789012345678),
    (quantities.parse_boolean, "true", True),
    (quantities.parse_boolean, "false", False),
]

BAD: list[tuple[Callable[[str], object], str, str]] = [
    (quantities.share_ppm, "5 percent", "write 0.05"),
    (quantities.share_ppm, "5%%", "write 0.05"),
    (quantities.share_ppm, "%", "write 0.05"),
    (quantities.share_ppm, "", "write 0.05"),
    (quantities.share_ppm, "1e-3", "did you mean 0.001"),
    (quantities.share_ppm, ".5", "did you mean 0.5"),
    (quantities.share_ppm, "0.0000001", "at most 6 decimals"),
    (quantities.duration_ms, "90", "90s or 90ms"),
    (quantities.duration_ms, "1.5h", "write 90s"),
    (quantities.duration_ms, "5 m", "write 90s"),
    (quantities.duration_ms, "5min", "write 90s"),
    (quantities.duration_ms, "-5s", "write 90s"),
    (quantities.duration_ms, "010s", "write 90s"),
    (quantities.parse_integer, "1_000", "did you mean 1000"),
    (quantities.parse_integer, "+5", "did you mean 5"),
    (quantities.parse_integer, "007", "did you mean 7"),
    (quantities.parse_integer, " 5", "did you mean 5"),
    (quantities.parse_integer, "1" * 19, ""),
    (quantities.parse_integer, "\u0665", ""),
    (quantities.parse_decimal, "nan", "finite"),
    (quantities.parse_decimal, "-inf", "finite"),
    (quantities.parse_decimal, "1.", "did you mean 1"),
    (quantities.parse_decimal, "1e99", ""),
    (quantities.parse_decimal, "--1", ""),
    (quantities.parse_boolean, "YES", "did you mean true"),
    (quantities.parse_boolean, "Off", "did you mean false"),
    (quantities.parse_boolean, "True", "did you mean true"),
    (quantities.parse_boolean, "1", "write true or false"),
    (Timeframe().convert, "60m", "did you mean 1h"),
    (Timeframe().convert, "1 hour", "did you mean 1h"),
    (Timeframe().convert, "1H", "did you mean 1h"),
    (Timeframe().convert, "7d", "did you mean 1w"),
    (Timeframe().convert, "5min", "did you mean 5m"),
    (Timeframe().convert, "1M", "one of 1m"),
    (Timeframe().convert, "2m", "one of 1m"),
    (Number().convert, "9999999999999.5", ""),
]


@pytest.mark.parametrize(("parse", "text", "value"), GOOD)
def test_a_plain_number_is_read(parse: Callable[[str], object], text: str, value: object) -> None:
    assert parse(text) == value


@pytest.mark.parametrize(("parse", "text", "hint"), BAD)
def test_anything_else_is_refused_with_a_hint(
    parse: Callable[[str], object], text: str, hint: str
) -> None:
    with pytest.raises(BadText) as caught:
        parse(text)
    assert hint in caught.value.hint


@given(st.integers(min_value=-(10**9), max_value=10**9))
def test_the_canonical_text_of_a_share_reads_as_the_same_share(ppm: int) -> None:
    assert quantities.share_ppm(quantities.share_text(ppm)) == ppm


@given(st.integers(min_value=0, max_value=10**12))
def test_the_canonical_text_of_a_duration_reads_as_the_same_duration(ms: int) -> None:
    assert quantities.duration_ms(quantities.duration_text(ms)) == ms


def test_the_largest_whole_unit_is_used() -> None:
    texts = [quantities.duration_text(ms) for ms in (0, 1, 1500, 60_000, 90_000, 86_400_000)]
    assert texts == ["0s", "1ms", "1500ms", "1m", "90s", "1d"]


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_refused(text: str) -> None:
    for parse in {row[0] for row in GOOD} | {quantities.parse_decimal}:
        refused = None
        try:
            parse(text)
        except BadText as error:
            refused = error
        assert refused is None or refused.message


def test_a_name_that_ends_in_a_newline_is_refused() -> None:
    with pytest.raises(BadText):
        Name("[a-z]+", "a word").convert("abc\n")
