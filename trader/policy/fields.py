"""Kinds of values for the schema: each turns a text into its canonical value, within bounds.

Lives here: the types that `schema` annotates its keys with, for pydantic and for JSON Schema. Must
not live here: keys, defaults, or rules that need more than one value.
"""

from __future__ import annotations

import difflib
import ipaddress
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from pydantic import PlainValidator

from trader.domain.timeframe import TIMEFRAMES_MS
from trader.policy import quantities
from trader.policy.problems import Code, shown
from trader.policy.quantities import BadText
from trader.records import dataclass

Value = str | int | bool
_PAIR = re.compile(r"[A-Z0-9]{1,20}/[A-Z0-9]{1,20}")
_DASHED = re.compile(r"[A-Z0-9]{1,20}-[A-Z0-9]{1,20}")
_PATTERN = re.compile(r"(?:[A-Z0-9]|\.\*){1,20}/[A-Z0-9]{1,20}")
_STAR = re.compile(r"\.?\*")
WILDCARDS_MAX = 3
_URL = re.compile(r"https?://(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")


def close_to(word: str, known: Iterable[str]) -> str:
    """`did you mean X` for the nearest known word, or ""."""
    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f"did you mean {near[0]}" if near else ""


class Kind(ABC):
    """A kind of value: text in, canonical JSON-able value out."""

    @abstractmethod
    def convert(self, text: str) -> Value:
        """The canonical value; raises BadText."""

    @abstractmethod
    def describe(self) -> dict[str, Any]:
        """The kind as JSON Schema, as a person's editor sees the YAML."""

    @abstractmethod
    def words(self) -> str:
        """The kind and its bounds in a few words, for the documents."""

    def _check(self, raw: Any) -> Value:
        # Defaults in the schema are written as Python values; a file's values are always text.
        text = str(raw).lower() if isinstance(raw, (int, bool)) else raw
        if not isinstance(text, str):
            what = "a list" if isinstance(text, list) else "a mapping"
            raise BadText(Code.WRONG_KIND, f"must be a single value, not {what}")
        return self.convert(text)

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Replaces pydantic's own conversion, which would accept more than we do."""
        return PlainValidator(self._check).__get_pydantic_core_schema__(source, handler)

    def __get_pydantic_json_schema__(self, _schema: Any, _handler: Any) -> dict[str, Any]:
        """See `describe`."""
        return self.describe()


def _bound(value: Decimal | int, least: Decimal | int, most: Decimal | int, say: str) -> None:
    if value < least or value > most:
        raise BadText(Code.OUT_OF_RANGE, say)


@dataclass(frozen=True)
class Flag(Kind):
    """`true` or `false`."""

    def convert(self, text: str) -> bool:
        """See Kind."""
        return quantities.parse_boolean(text)

    def words(self) -> str:
        """See Kind."""
        return "true or false"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "boolean"}


@dataclass(frozen=True)
class Whole(Kind):
    """A whole number from `least` to `most`; `unit` names a unit that the key already has."""

    least: int
    most: int
    unit: str = ""

    def convert(self, text: str) -> int:
        """See Kind."""
        try:
            value = quantities.parse_integer(text)
        except BadText as error:
            if self.unit == "ms" and not error.hint:
                raise BadText(error.code, error.message, self._ms_hint(text)) from error
            raise
        say = f"{value} is outside {self.least} to {self.most}"
        _bound(value, self.least, self.most, say)
        return value

    @staticmethod
    def _ms_hint(text: str) -> str:
        try:
            return f"in milliseconds: {quantities.duration_ms(text)}"
        except BadText:
            return "in milliseconds"

    def words(self) -> str:
        """See Kind."""
        return f"whole number, {self.least} to {self.most}"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Amount(Kind):
    """A decimal from `least` to `most`, kept as text; `word` is accepted instead of a number."""

    least: str
    most: str
    word: str = ""

    def convert(self, text: str) -> str:
        """See Kind."""
        if self.word and text == self.word:
            return text
        try:
            value = quantities.parse_decimal(text)
        except BadText as error:
            hint = error.hint or (f"or write {self.word}" if self.word else "")
            raise BadText(error.code, error.message, hint) from error
        say = f"{shown(text)} is outside {self.least} to {self.most}"
        _bound(value, Decimal(self.least), Decimal(self.most), say)
        return quantities.decimal_text(value)

    def words(self) -> str:
        """See Kind."""
        return f"number, {self.least} to {self.most}" + (f", or {self.word}" if self.word else "")

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        number = {
            "type": "number",
            "minimum": float(self.least),
            "maximum": float(self.most),
        }
        return {"anyOf": [number, {"const": self.word}]} if self.word else number


@dataclass(frozen=True)
class Share(Kind):
    """A share of something: `0.05`, `5%`, `500bps`; canonical text of the plain share."""

    least: str
    most: str

    def convert(self, text: str) -> str:
        """See Kind."""
        ppm = quantities.share_ppm(text)
        bare = text[-1:].isdigit()
        hint = f"did you mean {text}%" if bare and 1 < ppm / quantities.PPM <= 100 else ""
        least, most = quantities.share_ppm(self.least), quantities.share_ppm(self.most)
        if ppm < least or ppm > most:
            say = f"{shown(text)} is outside {self.least} to {self.most}"
            raise BadText(Code.SHARE_SCALE if hint else Code.OUT_OF_RANGE, say, hint)
        return quantities.share_text(ppm)

    def words(self) -> str:
        """See Kind."""
        least, most = (quantities.percent_text(bound) for bound in (self.least, self.most))
        return f"share, {least} to {most}"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        number = {
            "type": "number",
            "minimum": float(self.least),
            "maximum": float(self.most),
        }
        text = {"type": "string", "pattern": r"^(0|[1-9][0-9]*)(\.[0-9]+)? ?(%|bps)$"}
        return {"anyOf": [number, text]}


@dataclass(frozen=True)
class Duration(Kind):
    """`90s`, `5m`; canonical text in its largest whole unit."""

    least: str
    most: str

    def convert(self, text: str) -> str:
        """See Kind."""
        ms = quantities.duration_ms(text)
        least, most = (
            quantities.duration_ms(self.least),
            quantities.duration_ms(self.most),
        )
        _bound(ms, least, most, f"{shown(text)} is outside {self.least} to {self.most}")
        return quantities.duration_text(ms)

    def words(self) -> str:
        """See Kind."""
        return f"duration, {self.least} to {self.most}"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "string", "pattern": "^(0|[1-9][0-9]*)(ms|s|m|h|d)$"}


@dataclass(frozen=True)
class Choice(Kind):
    """One of a few words."""

    choices: tuple[str, ...]

    def convert(self, text: str) -> str:
        """See Kind."""
        if text in self.choices:
            return text
        known = ", ".join(self.choices)
        hint = close_to(text, self.choices)
        say = f"{shown(text)} is not " + (f"one of {known}" if hint else "a word of this key")
        raise BadText(Code.NOT_A_CHOICE, say, hint or f"one of {known}")

    def words(self) -> str:
        """See Kind."""
        return ", ".join(self.choices)

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"enum": list(self.choices)}


@dataclass(frozen=True)
class Timeframe(Kind):
    """A bar length that users know: `1m` to `1w`."""

    def convert(self, text: str) -> str:
        """See Kind."""
        if text in TIMEFRAMES_MS:
            return text
        known = ", ".join(TIMEFRAMES_MS)
        match = re.fullmatch(r"([1-9][0-9]{0,5}) ?(min|m|h|d|w)[a-z]*", text.lower())
        units = {
            "min": 60_000,
            "m": 60_000,
            "h": 3_600_000,
            "d": 86_400_000,
            "w": 604_800_000,
        }
        length = int(match.group(1)) * units[match.group(2)] if match and text != "1M" else 0
        same = [name for name, ms in TIMEFRAMES_MS.items() if ms == length]
        hint = f"did you mean {same[0]}" if same else f"one of {known}"
        raise BadText(Code.NOT_A_CHOICE, f"{shown(text)} is not a timeframe", hint)

    def words(self) -> str:
        """See Kind."""
        return "timeframe, " + " ".join(TIMEFRAMES_MS)

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"enum": list(TIMEFRAMES_MS)}


@dataclass(frozen=True)
class Name(Kind):
    """Text of a declared form; `say` tells people which; `empty` permits no text at all."""

    pattern: str
    say: str
    empty: bool = False

    def convert(self, text: str) -> str:
        """See Kind."""
        if (self.empty and not text) or re.fullmatch(self.pattern, text):
            return text
        code = Code.NO_VALUE if not text else Code.NOT_A_NAME
        raise BadText(code, f"{shown(text)} is not {self.say}" if text else f"must be {self.say}")

    def words(self) -> str:
        """See Kind."""
        return self.say + (", or empty" if self.empty else "")

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        pattern = f"^(?:{self.pattern})?$" if self.empty else f"^(?:{self.pattern})$"
        return {"type": "string", "pattern": pattern}


@dataclass(frozen=True)
class Pair(Kind):
    """A spot instrument `BASE/QUOTE`; `BASE-QUOTE` is understood, derivatives refused by name.

    With `pattern` its base may hold `*` or `.*`, canonically `.*`; `empty` permits none at all.
    """

    pattern: bool = False
    empty: bool = False

    def convert(self, text: str) -> str:
        """See Kind."""
        if self.empty and not text:
            return text
        if _PAIR.fullmatch(text):
            base, quote = text.split("/")
            if base == quote:
                raise BadText(Code.NOT_A_PAIR, f"{shown(text)} buys {base} with itself")
            return text
        if _DASHED.fullmatch(text):
            return self.convert(text.replace("-", "/"))
        spot, colon, _ = text.partition(":")
        if colon and (_PAIR.fullmatch(spot) or "*" in spot):
            message = f"{shown(text)} is a perpetual or future; only spot is traded"
            hint = f"did you mean {spot}"
            raise BadText(Code.PAIR_DERIVATIVE, message, hint)
        if "*" in text:
            return self._wildcard(text)
        upper = text.upper().replace("-", "/").replace("_", "/")
        hint = f"did you mean {upper}" if _PAIR.fullmatch(upper) else "write it as BTC/USDT"
        raise BadText(Code.NOT_A_PAIR, f"{shown(text)} is not an instrument", hint)

    def _wildcard(self, text: str) -> str:
        if not self.pattern:
            hint = "list the instruments by name, or let the strategy follow a tier"
            raise BadText(Code.NOT_A_PAIR, f"{shown(text)} is a wildcard", hint)
        plain = _STAR.sub(".*", text)
        if not _PATTERN.fullmatch(plain) or plain.count("*") > WILDCARDS_MAX:
            message = f"{shown(text)} is not a wildcard that can be used"
            hint = f"letters, digits and at most {WILDCARDS_MAX} times .* before /QUOTE: .*/USDT"
            raise BadText(Code.NOT_A_PAIR, message, hint)
        return plain

    def words(self) -> str:
        """See Kind."""
        words = "instrument or wildcard" if self.pattern else "instrument such as BTC/USDT"
        return words + (", or empty" if self.empty else "")

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        letters = r"(?:[A-Z0-9]|\.?\*)" if self.pattern else "[A-Z0-9]"
        pair = f"{letters}{{1,20}}[/-][A-Z0-9]{{1,20}}"
        return {"type": "string", "pattern": f"^(?:{pair})?$" if self.empty else f"^{pair}$"}


@dataclass(frozen=True)
class LoopbackUrl(Kind):
    """`http(s)://` and a loopback host, or nothing."""

    def convert(self, text: str) -> str:
        """See Kind."""
        if not text:
            return text
        match = _URL.fullmatch(text)
        hint = "only a server on this machine: http://127.0.0.1:PORT; empty is the venue's own"
        if match is None:
            raise BadText(Code.BASE_URL, "is not a plain http(s) address", hint)
        if not _is_loopback(match.group(1)):
            raise BadText(Code.BASE_URL, f"{shown(match.group(1))} is not a loopback host", hint)
        if match.group(2) and not 0 < int(match.group(2)[1:]) < 1 << 16:
            raise BadText(Code.BASE_URL, f"{match.group(2)[1:]} is not a port", hint)
        return text.rstrip("/")

    def words(self) -> str:
        """See Kind."""
        return "http(s) address of this machine, or empty"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "string", "pattern": f"^(?:{_URL.pattern})?$"}


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


@dataclass(frozen=True)
class Number(Kind):
    """A strategy's number: an int stays an int, a decimal is kept as text."""

    def convert(self, text: str) -> str | int:
        """See Kind."""
        try:
            value: int | Decimal = quantities.parse_integer(text)
        except BadText:
            value = quantities.parse_decimal(text)
        _bound(value, -(10**12), 10**12, f"{shown(text)} is outside -10^12 to 10^12")
        return value if isinstance(value, int) else quantities.decimal_text(value)

    def words(self) -> str:
        """See Kind."""
        return "number"

    def describe(self) -> dict[str, Any]:
        """See Kind."""
        return {"type": "number"}
