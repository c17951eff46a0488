"""The border between exact decimals and the core's integers.

Lives here: the choice of scales, and the only conversions Decimal <-> int. `Spec` is an instrument
in core integers. Must not live here: decisions.
"""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from functools import lru_cache

from trader.core.money import (
    AMOUNT_MAX,
    PPM,
    AmountOverflow,
    mul_div_down,
    mul_div_up,
    product,
    share_up,
)
from trader.domain.instrument import Instrument

CASH_DIGITS_MIN = 8
BASE_DIGITS_MIN = 8


class ScaleError(ValueError):
    """An instrument, amount or price that the core's integers cannot hold; says which."""


def digits_of(value: Decimal) -> int:
    """How many decimal places `value` needs (0.0500 needs 2, 100 needs 0)."""
    exponent = value.normalize().as_tuple().exponent
    if not isinstance(exponent, int):
        raise ScaleError(f"{value} is not a number")
    return max(0, -exponent)


def to_units(value: Decimal, unit: Decimal, what: str) -> int:
    """`value / unit` as an int; raises ScaleError when it is not whole or does not fit."""
    with localcontext() as context:
        context.prec = 60
        units = value / unit
        whole = int(units)
        if units != whole:
            raise ScaleError(f"{what}: {value} is not a multiple of {unit}")
    if abs(whole) >= AMOUNT_MAX:
        raise ScaleError(f"{what}: {value} in units of {unit} does not fit")
    return whole


def to_units_rounded(value: Decimal, unit: Decimal, what: str, *, up: bool) -> int:
    """`value / unit` rounded up or down to an int; raises ScaleError when it does not fit."""
    with localcontext() as context:
        context.prec = 60
        ratio = value / unit
        whole = int(ratio.to_integral_value(ROUND_CEILING if up else ROUND_FLOOR))
    if abs(whole) >= AMOUNT_MAX:
        raise ScaleError(f"{what}: {value} in units of {unit} does not fit")
    return whole


def to_decimal(units: int, unit: Decimal) -> Decimal:
    """`units * unit`, exact."""
    with localcontext() as context:
        context.prec = 60
        return units * unit


@lru_cache(maxsize=256)
def cash_units(amount: str, cash_digits: int, *, up: bool) -> int:
    """An amount of the policy (decimal text, not below 0) in cash units; raises AmountOverflow when
    it does not fit: whoever asks for it then is refused by name.

    Kept: the same few amounts are asked for by every entry.
    """
    unit = Decimal(1).scaleb(-cash_digits)
    try:
        return to_units_rounded(Decimal(amount), unit, f"the amount {amount}", up=up)
    except ScaleError as error:
        raise AmountOverflow(str(error)) from error


@lru_cache(maxsize=32)
def one_in_units(cash_digits: int) -> int:
    """Cash units in one of the settlement currency."""
    return int(Decimal(1).scaleb(cash_digits))


def text(value: Decimal) -> str:
    """Plain decimal text without exponent or trailing zeros: the journal's form of a number."""
    plain = format(value, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain in {"-0", ""} else plain


class Spec:
    """An instrument in core integers.

    Attributes:
        tick, lot, cash_unit, base_unit: what one tick (price), lot (order quantity), unit of cash
            and unit of the base coin are worth, as exact decimals.
        notional_num, notional_den: cash units per tick x lot, as a reduced ratio.
        base_per_lot: base units in one lot.
        tick_num, tick_den: one tick as a ratio of ints; ticks * tick_num / tick_den is the price,
            correctly rounded when computed in floats from exact ints; *_float: the same as floats.
        qty_lots_min, qty_lots_max: order quantity bounds, lots; max is also bounded by int64.
        notional_units_min: smallest order value, cash units.
        fee_taker_ppm, fee_maker_ppm: millionths of the value, rounded up.
    """

    __slots__ = (
        "active",
        "base",
        "base_per_lot",
        "base_unit",
        "cash_unit",
        "fee_maker_ppm",
        "fee_taker_ppm",
        "lot",
        "notional_den",
        "notional_num",
        "notional_units_min",
        "qty_lots_max",
        "qty_lots_min",
        "quote",
        "symbol",
        "tick",
        "tick_den",
        "tick_den_float",
        "tick_num",
        "tick_num_float",
    )

    def __init__(self, instrument: Instrument, cash_digits: int) -> None:
        """Choose the scales; raises ScaleError naming what does not fit."""
        name = instrument.symbol
        self.symbol = name
        self.base = instrument.base
        self.quote = instrument.quote
        self.active = instrument.active
        self.tick = instrument.tick
        self.lot = instrument.lot
        self.cash_unit = Decimal(1).scaleb(-cash_digits)
        base_digits = max(BASE_DIGITS_MIN, digits_of(instrument.lot))
        self.base_unit = Decimal(1).scaleb(-base_digits)
        self.base_per_lot = to_units(instrument.lot, self.base_unit, f"{name} lot")
        with localcontext() as context:
            context.prec = 60
            ratio = instrument.tick * instrument.lot / self.cash_unit
            num, den = ratio.as_integer_ratio()
            self.tick_num, self.tick_den = instrument.tick.as_integer_ratio()
        self.tick_num_float, self.tick_den_float = float(self.tick_num), float(self.tick_den)
        if max(num, den) >= AMOUNT_MAX // PPM:
            raise ScaleError(f"{name}: tick {self.tick} x lot {self.lot} does not fit")
        self.notional_num, self.notional_den = num, den
        lots_cap = AMOUNT_MAX // self.base_per_lot - 1
        wanted_max = instrument.qty_max / instrument.lot if instrument.qty_max else lots_cap
        self.qty_lots_max = int(min(Decimal(lots_cap), Decimal(wanted_max)))
        floor = to_units_rounded(instrument.qty_min, instrument.lot, f"{name} minimum", up=True)
        self.qty_lots_min = max(1, floor)
        if self.qty_lots_min > self.qty_lots_max:
            raise ScaleError(f"{name}: no quantity fits between {floor} and {self.qty_lots_max}")
        self.notional_units_min = to_units_rounded(
            instrument.notional_min, self.cash_unit, f"{name} minimum value", up=True
        )
        self.fee_taker_ppm = _ppm(instrument.fee_taker, f"{name} taker fee")
        self.fee_maker_ppm = _ppm(instrument.fee_maker, f"{name} maker fee")

    def ticks(self, price: Decimal) -> int:
        """A price as ticks; raises ScaleError off the tick grid."""
        return to_units(price, self.tick, f"{self.symbol} price")

    def lots(self, qty: Decimal) -> int:
        """A quantity as lots; raises ScaleError off the lot grid."""
        return to_units(qty, self.lot, f"{self.symbol} quantity")

    def price(self, price_ticks: int) -> Decimal:
        """Ticks as a price."""
        return to_decimal(price_ticks, self.tick)

    def qty(self, qty_lots: int) -> Decimal:
        """Lots as a quantity."""
        return to_decimal(qty_lots, self.lot)

    def price_float(self, price_ticks: int) -> float:
        """The price as the nearest float: an opinion's input, never money."""
        return price_ticks * self.tick_num / self.tick_den


def _ppm(share: Decimal, what: str) -> int:
    ppm = to_units_rounded(share, Decimal("0.000001"), what, up=True)
    if not 0 <= ppm < PPM:
        raise ScaleError(f"{what}: {share} is not a share between 0 and 1")
    return ppm


def cash_digits_for(instruments: list[Instrument], cash_max: Decimal) -> int:
    """Decimal places of the cash unit: exact for every tick x lot, and `cash_max` must fit.

    Raises ScaleError naming the instrument whose tick x lot is too fine for that cap.
    """
    digits = CASH_DIGITS_MIN
    finest = "the cash cap"
    for instrument in instruments:
        needed = digits_of(instrument.tick) + digits_of(instrument.lot)
        if needed > digits:
            digits, finest = needed, instrument.symbol
    if cash_max * pow(10, digits) >= AMOUNT_MAX // 4:
        raise ScaleError(f"{finest}: {digits} decimals do not fit beside {cash_max} of cash")
    return digits


def notional_down(spec: Spec, price_ticks: int, qty_lots: int) -> int:
    """Value in cash units rounded down: what we receive. Raises AmountOverflow."""
    cells = product(price_ticks, qty_lots)
    if spec.notional_den == 1:
        return product(cells, spec.notional_num)
    return mul_div_down(cells, spec.notional_num, spec.notional_den)


def notional_up(spec: Spec, price_ticks: int, qty_lots: int) -> int:
    """Value in cash units rounded up: what we pay. Raises AmountOverflow."""
    cells = product(price_ticks, qty_lots)
    if spec.notional_den == 1:
        return product(cells, spec.notional_num)
    return mul_div_up(cells, spec.notional_num, spec.notional_den)


def value_of_base_down(spec: Spec, price_ticks: int, base_units: int) -> int:
    """Cash units that `base_units` are worth at a price, rounded down. Raises AmountOverflow."""
    whole = base_units // spec.base_per_lot
    rest = base_units - whole * spec.base_per_lot
    if rest == 0:
        return notional_down(spec, price_ticks, whole)
    # By way of one lot's value: the product of price, coins and scale may not fit though this does.
    part = mul_div_down(notional_down(spec, price_ticks, 1), rest, spec.base_per_lot)
    return notional_down(spec, price_ticks, whole) + part


def fee_up(value_units: int, fee_ppm: int) -> int:
    """A fee of `fee_ppm` millionths of a value, rounded up. Raises AmountOverflow."""
    return share_up(value_units, fee_ppm)
