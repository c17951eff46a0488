"""Numbers as people write them: text <-> exact values, without yaml or pydantic.

Lives here: decimals, whole numbers, shares and durations, and the canonical text that a checked
form keeps. Must not live here: bounds of single keys.
"""

from __future__ import annotations

import re
from decimal import Decimal

from trader.policy.problems import Code, shown

DIGITS_MAX = 18
PPM = 1_000_000
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_SHARE = re.compile(r"(.*?) ?(%|bps)")
_DURATION = re.compile(r"(0|[1-9][0-9]*)(ms|s|m|h|d)")
# Largest first: the canonical text of a duration uses the first unit that divides it.
_UNITS_MS = {"d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1_000, "ms": 1}
_BOOLEAN_WORDS = {"yes": "true", "on": "true", "no": "false", "off": "false"}


class BadText(ValueError):
    """A text that is not what its key holds: the problem's code, message and hint."""

    def __init__(self, code: Code, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def _number_hint(text: str) -> str:
    """What was probably meant by a number that is not written plainly."""
    bare = text.strip().replace("_", "").replace(",", "").replace(" ", "")
    if bare.lstrip("+-").lower() in {"nan", ".nan", "inf", ".inf", "infinity"}:
        return "write a finite number"
    if not re.fullmatch(r"[+-]?[0-9]*\.?[0-9]*(?:[eE][+-]?[0-9]{1,2})?", bare):
        return ""
    try:
        value = Decimal(bare)
    except ArithmeticError:
        return ""
    plain = format(value, "f")
    return f"did you mean {plain}" if len(plain) <= DIGITS_MAX else ""


def parse_boolean(text: str) -> bool:
    """`true` or `false`, nothing else; raises BadText."""
    if text in {"true", "false"}:
        return text == "true"
    low = text.lower()
    meant = _BOOLEAN_WORDS.get(low, low if low in {"true", "false"} else "")
    hint = f"did you mean {meant}" if meant else "write true or false"
    raise BadText(Code.NOT_A_BOOLEAN, f"{shown(text)} is neither true nor false", hint)


def parse_integer(text: str) -> int:
    """Plain decimal digits, no underscores, no leading zeros; raises BadText."""
    if not _INTEGER.fullmatch(text) or len(text) > DIGITS_MAX:
        hint = _number_hint(text)
        raise BadText(Code.NOT_AN_INTEGER, f"{shown(text)} is not a whole number", hint)
    return int(text)


def parse_decimal(text: str) -> Decimal:
    """A plain finite decimal without exponent; raises BadText."""
    if not _DECIMAL.fullmatch(text) or len(text) > 2 * DIGITS_MAX:
        hint = _number_hint(text)
        raise BadText(Code.NOT_A_NUMBER, f"{shown(text)} is not a plain decimal number", hint)
    return Decimal(text)


def decimal_text(value: Decimal) -> str:
    """Canonical text: no exponent, no trailing zeros, no minus before zero."""
    plain = format(value, "f")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return "0" if plain == "-0" else plain


def share_ppm(text: str) -> int:
    """A share in millionths from `0.05`, `5%`, `5 %` or `500bps`; raises BadText."""
    suffixed = _SHARE.fullmatch(text)
    number, unit = (suffixed.group(1), suffixed.group(2)) if suffixed else (text, "")
    try:
        value = parse_decimal(number)
    except BadText as error:
        message = f"{shown(text)} is not a share"
        hint = error.hint or "write 0.05, 5% or 500bps"
        raise BadText(Code.NOT_A_SHARE, message, hint) from error
    ppm = value * {"": PPM, "%": PPM // 100, "bps": PPM // 10_000}[unit]
    if ppm != int(ppm):
        message = f"{shown(text)} is finer than a millionth"
        raise BadText(Code.NOT_A_SHARE, message, "at most 6 decimals (0.01bps)")
    return int(ppm)


def share_text(ppm: int) -> str:
    """Canonical text of a share: `0.05`."""
    return decimal_text(Decimal(ppm).scaleb(-6))


def percent_text(share: str) -> str:
    """A share in percent: `5%` for `0.05` and for `500bps`; raises BadText."""
    return decimal_text(Decimal(share_ppm(share)).scaleb(-4)) + "%"


def duration_ms(text: str) -> int:
    """Milliseconds from `500ms`, `90s`, `5m`, `2h` or `1d`; raises BadText."""
    match = _DURATION.fullmatch(text)
    if match is None or len(text) > DIGITS_MAX:
        bare = _INTEGER.fullmatch(text)
        hint = f"say the unit: {text}s or {text}ms" if bare and len(text) < 10 else "write 90s"
        raise BadText(Code.NOT_A_DURATION, f"{shown(text)} is not a duration", hint)
    return int(match.group(1)) * _UNITS_MS[match.group(2)]


def duration_text(ms: int) -> str:
    """Canonical text of a duration: the largest unit that divides it."""
    unit = next(
        name for name, length in _UNITS_MS.items() if ms % length == 0 and (ms or name == "s")
    )
    return f"{ms // _UNITS_MS[unit]}{unit}"
