"""Price texts become ticks exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trader.bars.ticks import (
    BarTextError,
    DecimalTicks,
    FinerPriceError,
    FixedTicks,
    OffTickError,
    plain_volume,
    shortened,
    ticks_of,
)

TICKS = [
    ("7195.24", "0.01", 719524),
    ("7195.24000000", "0.01", 719524),
    ("7195", "0.01", 719500),
    ("7195.5", "0.5", 14391),
    ("7200", "25", 288),
    ("1.5e-07", "1e-8", 15),
    ("1E2", "0.1", 1000),
    (" 3.10 ", "0.1", 31),
    ('"3.1"', "0.1", 31),
    (".5", "0.1", 5),
    ("5.", "0.1", 50),
    ("46116860184.27387903", "1e-8", 4611686018427387903),
]


@pytest.mark.parametrize(("text", "tick", "ticks"), TICKS)
def test_a_price_text_is_read_as_ticks(text: str, tick: str, ticks: int) -> None:
    assert ticks_of(text, Decimal(tick)) == ticks


@pytest.mark.parametrize(
    ("text", "tick", "what"),
    [
        ("7195.241", "0.01", "7195.241 is not a multiple of the tick 0.01"),
        ("7195.25", "0.5", "not a multiple"),
        ("0.10000000000000001", "0.1", "not a multiple"),
        ("46116860184.27387904", "1e-8", "does not fit in ticks of 0.00000001"),
    ],
)
def test_a_price_off_the_tick_is_refused_not_rounded(text: str, tick: str, what: str) -> None:
    with pytest.raises(OffTickError, match=what):
        ticks_of(text, Decimal(tick))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nan",
        "NaN",
        "-nan",
        "inf",
        "None",
        "null",
        "-",
        "--5",
        "-5",
        "-0.1",
        "0",
        "0.000",
        "1.2.3",
        "1,5",
        "1_000",
        "0x10",
        "ten",
        ".",
        "e5",
        "1e",
        "1e9999",
        "9" * 60,
        "+5",
        "\u0661",
    ],
)
def test_what_is_no_price_is_refused(text: str) -> None:
    with pytest.raises(BarTextError):
        ticks_of(text, Decimal("0.1"))


@pytest.mark.parametrize("tick", ["0", "-1", "NaN"])
def test_a_tick_must_be_above_zero(tick: str) -> None:
    with pytest.raises(ValueError, match="a tick must be above 0"):
        FixedTicks(Decimal(tick))


@given(ticks=st.integers(1, 10**15), num=st.integers(1, 500), digits=st.integers(0, 10))
def test_reading_undoes_writing_for_any_tick(ticks: int, num: int, digits: int) -> None:
    tick = Decimal(num).scaleb(-digits)
    assert ticks_of(f"{ticks * tick:f}", tick) == ticks


@given(
    ticks=st.integers(10**6, 10**15 - 1),
    digits=st.integers(1, 12),
    ulps=st.integers(1, 40),
)
def test_a_given_tick_snaps_only_when_asked(ticks: int, digits: int, ulps: int) -> None:
    tick = Decimal(1).scaleb(-digits)
    text = f"{ticks}".rjust(digits + 1, "0")
    shadow = f"{text[:-digits]}.{text[-digits:]}{'0' * 4}{ulps:03}"
    assert FixedTicks(tick, snap=True)[shadow] == ticks
    with pytest.raises(OffTickError):
        ticks_of(shadow, tick)


def test_snapping_stops_at_a_thousandth_of_a_tick() -> None:
    # 1e-10 of the price, but half a tick: not a shadow.
    with pytest.raises(OffTickError):
        FixedTicks(Decimal("0.01"), snap=True)["50000000.005"]


def test_inferred_ticks_ask_for_more_digits_when_they_need_them() -> None:
    ticks = DecimalTicks()
    with pytest.raises(FinerPriceError) as caught:
        ticks["1.2500"]
    ticks.grow(caught.value.digits)
    assert (ticks.digits, ticks["1.2500"], ticks["3"]) == (2, 125, 300)


@pytest.mark.parametrize("ticks", [DecimalTicks(), FixedTicks(Decimal(1))])
def test_memory_of_texts_is_bounded(ticks: DecimalTicks | FixedTicks) -> None:
    for price in range(1, 70_000):
        assert ticks[str(price)] == price
    assert len(ticks) <= 65_536


@pytest.mark.parametrize(
    ("digits", "decimals", "short"),
    [
        (16200000000000001, 19, (162, 5, True)),
        (7745452999999999, 17, (7745453, 8, True)),
        (123456789012345678, 18, (123456789012345678, 18, False)),
        (20000000000000001, 1, (2000000000000000, 0, True)),
        (12000, 3, (12, 0, False)),
        (9999999999999999, 16, (1, 0, True)),
    ],
)
def test_a_shadow_is_told_from_a_long_number(
    digits: int, decimals: int, short: tuple[int, int, bool]
) -> None:
    assert shortened(digits, decimals) == short


@given(value=st.integers(1, 10**9), digits=st.integers(1, 9), parts=st.integers(2, 9))
def test_float_arithmetic_on_a_short_decimal_leaves_a_shadow(
    value: int, digits: int, parts: int
) -> None:
    exact = Decimal(value).scaleb(-digits)
    shadow = Decimal(repr(sum([float(exact) / parts] * parts)))
    number, exponent = (
        int("".join(map(str, shadow.as_tuple().digits))),
        shadow.as_tuple().exponent,
    )
    assert isinstance(exponent, int)
    short, decimals, _ = shortened(number * 10 ** max(0, exponent), max(0, -exponent))
    assert Decimal(short).scaleb(-decimals) == exact


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("12.50", "12.5"),
        ("12.00", "12"),
        ("0.00", "0"),
        ("007.1", "7.1"),
        ("1e-3", "0.001"),
        ("1.5e3", "1500"),
        ("120", "120"),
        (".5", "0.5"),
        ("0.00000001", "0.00000001"),
    ],
)
def test_a_volume_has_one_plain_form(text: str, plain: str) -> None:
    assert plain_volume(text) == plain
