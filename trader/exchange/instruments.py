"""Instruments of the local exchange: what may be traded, in which steps.

Here: `Instrument` (one symbol's rules and status), the rules guessed from symbol and price, and the
parsing of overrides. Not here: prices, orders, or how a dialect prints the rules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from trader.exchange.bars import ExchangeSetupError
from trader.exchange.money import plain
from trader.records import dataclass, replace

STATUSES = ("TRADING", "HALT", "BREAK", "END_OF_DAY", "CANCEL_ONLY")
# Coin -> order of magnitude of its price in dollars: lots are made worth about a tenth of one.
_QUOTES = {
    "USDT": 0, "USDC": 0, "BUSD": 0, "FDUSD": 0, "TUSD": 0, "DAI": 0, "USD": 0, "EUR": 0,
    "GBP": 0, "TRY": -1, "BTC": 5, "ETH": 3, "BNB": 2,
}  # fmt: skip
# Real venues keep tick x lot near the precision of the quote coin; so do rules that are guessed.
_PRODUCT_DIGITS_MAX = 10
_DECIMAL_FIELDS = {
    "tick": "tick", "lot": "lot", "min_qty": "qty_min", "max_qty": "qty_max",
    "market_max_qty": "market_qty_max", "min_price": "price_min", "max_price": "price_max",
    "min_notional": "notional_min", "max_notional": "notional_max",
    "percent_up": "percent_up", "percent_down": "percent_down",
}  # fmt: skip
_TEXT_FIELDS = ("status", "base", "quote")


@dataclass(frozen=True, slots=True)
class Instrument:
    """One symbol's rules. Prices in quote, quantities in base units, all exact."""

    symbol: str
    base: str
    quote: str
    tick: Decimal
    lot: Decimal
    price_min: Decimal
    price_max: Decimal
    qty_min: Decimal
    qty_max: Decimal
    market_qty_max: Decimal
    notional_min: Decimal
    notional_max: Decimal
    percent_up: Decimal
    percent_down: Decimal
    status: str = "TRADING"

    def as_json(self) -> dict[str, str]:
        """The rules under their override names, decimals as text."""
        shown: dict[str, str] = {name: getattr(self, name) for name in _TEXT_FIELDS}
        return shown | {
            name: plain(getattr(self, field)) for name, field in _DECIMAL_FIELDS.items()
        }


def split_symbol(name: str) -> tuple[str, str] | None:
    """Base and quote of `BTC/USDT`, `BTC-USDT` or `BTCUSDT`; None if it does not end in a quote."""
    upper = name.strip().upper()
    for mark in ("/", "-", "_"):
        if mark in upper:
            base, _, quote = upper.partition(mark)
            return (base, quote) if base and quote else None
    for quote in sorted(_QUOTES, key=len, reverse=True):
        if upper.endswith(quote) and len(upper) > len(quote) + 1:
            return upper[: -len(quote)], quote
    return None


def symbol_in_file_name(name: str) -> str | None:
    """The first word of a file name that reads as a symbol, for example of `x_btcusdt_1m.csv`."""
    words = [word for word in re.split(r"[^A-Za-z0-9]+", name) if word]
    return next((word.upper() for word in words if split_symbol(word)), None)


def default_instrument(name: str, price: Decimal, decimals: int = 0) -> Instrument:
    """Rules such as a venue gives a coin of that price: about five significant digits of price,
    or the `decimals` of the data if they are more and tick x lot has at most ten decimals then;
    candles of finer data are shown on the tick. Overrides can ask for any other grid."""
    pair = split_symbol(name)
    if pair is None:
        raise ExchangeSetupError(
            f"{name}: cannot tell base and quote apart; write FILE=BASE/QUOTE, e.g. BTC/USDT"
        )
    base, quote = pair
    magnitude = price.adjusted()
    worth = _QUOTES.get(quote, 0)
    lot_digits = min(8, max(0, magnitude + worth + 1))
    tick_digits = min(8, max(2, 4 - magnitude))
    if tick_digits < decimals <= min(8, _PRODUCT_DIGITS_MAX - lot_digits):
        tick_digits = decimals
    tick, lot = Decimal(1).scaleb(-tick_digits), Decimal(1).scaleb(-lot_digits)
    return Instrument(
        symbol=base + quote,
        base=base,
        quote=quote,
        tick=tick,
        lot=lot,
        price_min=tick,
        price_max=max(tick * 100_000_000, Decimal(1).scaleb(magnitude + 3)),
        qty_min=lot,
        qty_max=lot * 900_000_000,
        market_qty_max=lot * 10_000_000,
        notional_min=Decimal(5).scaleb(-worth),
        notional_max=Decimal(9_000_000),
        percent_up=Decimal(5),
        percent_down=Decimal("0.2"),
    )


def changed(instrument: Instrument, changes: Mapping[str, str]) -> Instrument:
    """The instrument with overrides such as {"tick": "0.01", "status": "BREAK"} applied."""
    for name, value in changes.items():
        if name in _DECIMAL_FIELDS:
            instrument = replace(instrument, **{_DECIMAL_FIELDS[name]: _number(name, value)})
        elif name == "status" and value not in STATUSES:
            raise ExchangeSetupError(f"status {value!r}: must be one of {', '.join(STATUSES)}")
        elif name in _TEXT_FIELDS:
            instrument = replace(instrument, **{name: str(value)})
        else:
            known = ", ".join([*_DECIMAL_FIELDS, *_TEXT_FIELDS])
            raise ExchangeSetupError(f"{name!r}: no such rule of an instrument; known: {known}")
    if "lot" in changes and "min_qty" not in changes:
        instrument = replace(instrument, qty_min=instrument.lot)
    return instrument


def parse_override(spec: str) -> tuple[str, dict[str, str]]:
    """`BTCUSDT:tick=0.01,lot=0.00001` -> ("BTCUSDT", {"tick": "0.01", "lot": "0.00001"})."""
    symbol, mark, rest = spec.partition(":")
    pairs = [part.partition("=") for part in rest.split(",") if part]
    if not mark or not pairs or any(not value for _, _, value in pairs):
        raise ExchangeSetupError(f"{spec!r}: write SYMBOL:name=value,name=value")
    return symbol.replace("/", "").upper(), {name.strip(): value for name, _, value in pairs}


def _number(name: str, value: str) -> Decimal:
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ExchangeSetupError(f"{name}={value!r}: not a number") from error
    if not number.is_finite() or number < 0 or (name in ("tick", "lot") and number == 0):
        raise ExchangeSetupError(f"{name}={value!r}: must be finite and positive")
    return number
