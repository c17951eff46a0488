"""Core integers in words: ticks as prices, lots as quantities, units as money, times as dates.

Lives here: how numbers of a decision are told to a human, as text. Must not live here: what is
told, in which order (`explain`).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal

from trader.core.money import AMOUNT_MAX
from trader.core.scale import Spec, text, to_decimal
from trader.core.state import HALT_LEVELS, State

NONE = "none"
SPANS = {"held": "held for", "hold": "longest hold"}
# Told to the last bit, as hex.
FLOATS = frozenset(
    {
        "arm_distance",
        "even_distance",
        "step_distances",
        "stop_distance",
        "strength",
        "target_distance",
        "trail_distance",
    }
)
COINS = frozenset({"held", "dust"})
_PPM_DIGITS = -4  # a millionth is 0.0001 %


def time_text(at_ms: int) -> str:
    """`2024-01-31 12:00:05.250Z`; whole minutes without seconds; `none` below 0."""
    if at_ms < 0:
        return NONE
    moment = datetime.fromtimestamp(at_ms // 1000, UTC)
    if at_ms % 60_000 == 0:
        return f"{moment:%Y-%m-%d %H:%M}Z"
    millis = f".{at_ms % 1000:03d}" if at_ms % 1000 else ""
    return f"{moment:%Y-%m-%d %H:%M:%S}{millis}Z"


def percent_text(ppm: int) -> str:
    """Millionths as a percentage: 1000 is `0.1 %`."""
    return f"{text(Decimal(ppm).scaleb(_PPM_DIGITS))} %"


def seconds_text(span_ms: int) -> str:
    """Milliseconds as seconds: 1500 is `1.5 s`."""
    return f"{text(Decimal(span_ms).scaleb(-3))} s"


class Units:
    """The scales of one account at one moment; outlives the state that it was made from."""

    def __init__(self, state: State) -> None:
        """Every instrument that the state knows."""
        self.quote = state.word("quote")
        self.cash_unit = Decimal(1).scaleb(-state.number("cash_digits"))
        self.specs: Mapping[str, Spec] = {
            symbol: state.spec(symbol) for symbol in state.instruments
        }

    def cash(self, units: int) -> str:
        """Cash units as an amount of the settlement currency."""
        return f"{text(to_decimal(units, self.cash_unit))} {self.quote}"

    def price(self, symbol: str, ticks: int) -> str:
        """Ticks as a price; `none` for 0, which means that there is no price."""
        if ticks <= 0:
            return NONE
        spec = self.specs.get(symbol)
        return f"{ticks} ticks" if spec is None else f"{text(spec.price(ticks))} {spec.quote}"

    def qty(self, symbol: str, lots: int) -> str:
        """Lots as a quantity of the coin."""
        spec = self.specs.get(symbol)
        return f"{lots} lots" if spec is None else f"{text(spec.qty(lots))} {spec.base}"

    def coins(self, symbol: str, units: int) -> str:
        """Base units as a quantity of the coin."""
        spec = self.specs.get(symbol)
        if spec is None:
            return f"{units} units"
        return f"{text(to_decimal(units, spec.base_unit))} {spec.base}"

    def measure(self, symbol: str, value: int, unit: str) -> str:
        """A gate's limit or measured value, by the gate's unit; `none` for a limit that is not
        there."""
        if value >= AMOUNT_MAX - 1:
            return NONE
        if unit in {"ticks", "lots"}:
            return (self.price if unit == "ticks" else self.qty)(symbol, value)
        words = {
            "ppm": percent_text,
            "cash": self.cash,
            "utc_ms": _stamp_text,
            "ms": seconds_text,
            "flag": _flag_text,
            "rank": HALT_LEVELS.__getitem__,
        }
        return words.get(unit, str)(value)

    def told(self, symbol: str, key: str, value: int | str) -> tuple[str, str]:
        """(name, text) of one value that a decision saw or asked for, by its key's last part."""
        name, _, unit = key.rpartition("_")
        if key in FLOATS:
            told = (f"{float.fromhex(part):.6g}" for part in str(value).split())
            return key.replace("_", " "), " ".join(told)
        if key == "exit":
            return "exit signal", "yes" if value else "no"
        if isinstance(value, str):
            return key, detail_text(value) or NONE
        if unit == "ms":
            bar = f"{name} bar".replace("bar bar", "bar"), time_text(value)
            return (SPANS[name], seconds_text(value)) if name in SPANS else bar
        if unit not in {"ticks", "lots", "ppm", "units"}:
            return key, str(value)
        if unit == "units":
            said = self.coins(symbol, value) if name in COINS else self.cash(value)
        else:
            said = self.measure(symbol, value, unit)
        return name.replace("_", " "), said


def _stamp_text(at_ms: int) -> str:
    return time_text(at_ms) if at_ms else NONE


def _flag_text(value: int) -> str:
    return "yes" if value else "no"


def detail_text(said: str) -> str:
    """`CODE key_ms=1700000000000 share_ppm=1000` with times and shares in words."""
    return " ".join(_pair_text(part) for part in said.split(" "))


def _pair_text(part: str) -> str:
    key, mark, value = part.partition("=")
    if not mark or not value.removeprefix("-").isdigit():
        return part
    if key.endswith("_ppm"):
        return f"{key.removesuffix('_ppm')}={percent_text(int(value))}"
    if key.endswith("_ms"):
        return f"{key.removesuffix('_ms')}={time_text(int(value))}"
    return part
