"""What a bar file's name says: instrument and timeframe.

Lives here: reading `BTC_USDT-1h.csv` or `binance_btcusdt_1h_2017.csv.gz`; a name that could mean
two instruments means none. Must not live here: file contents.
"""

from __future__ import annotations

import re
from itertools import pairwise

from trader.domain.timeframe import DAY_MS, MINUTE_MS, TIMEFRAMES_MS

# Bars may be of more lengths than a policy may name.
STEPS_MS: dict[str, int] = {
    "1s": 1_000,
    **TIMEFRAMES_MS,
    "3m": 3 * MINUTE_MS,
    "2h": 120 * MINUTE_MS,
    "6h": 360 * MINUTE_MS,
    "8h": 480 * MINUTE_MS,
    "12h": 720 * MINUTE_MS,
}
_NAMES = {step_ms: name for name, step_ms in STEPS_MS.items()}
_QUOTES = frozenset(
    (
        "USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USDP", "DAI", "USD", "EUR", "GBP", "JPY", "AUD",
        "CAD", "CHF", "TRY", "BRL", "KRW", "BTC", "XBT", "ETH", "BNB",
    )
)  # fmt: skip
# Only to choose between two ways to cut one word: BTCBUSD is BTC/BUSD, not BTCB/USD.
_BASES = frozenset(
    (
        "BTC", "XBT", "ETH", "LTC", "XRP", "BCH", "EOS", "TRX", "ADA", "SOL", "DOT", "BNB", "DOGE",
        "LINK", "XLM", "XMR", "DASH", "ETC", "ZEC", "NEO", "AVAX", "ATOM", "UNI", "FIL", "SHIB",
    )
)  # fmt: skip
_NOT_SPOT = frozenset(("PERP", "SWAP", "FUTURES", "FUTURE", "QUARTERLY", "PERPETUAL"))
_ENDINGS = re.compile(
    r"\.(csv|txt|tsv|json|jsonl|ndjson|parquet|feather|gz|zip|zst|bz2|xz)", re.IGNORECASE
)
# How LEAN and Binance say a length in words.
_LENGTHS = {"second": "1s", "minute": "1m", "hour": "1h", "daily": "1d"}
_COIN = re.compile(r"[A-Z0-9]*[A-Z][A-Z0-9]*", re.ASCII)


def step_name(step_ms: int) -> str:
    """`1h` for 3,600,000; a length without a name in its largest whole unit."""
    if step_ms in _NAMES:
        return _NAMES[step_ms]
    for unit, length in (
        ("d", DAY_MS),
        ("h", 60 * MINUTE_MS),
        ("m", MINUTE_MS),
        ("s", 1_000),
    ):
        if step_ms % length == 0:
            return f"{step_ms // length}{unit}"
    return f"{step_ms}ms"


def symbols_in(file_name: str) -> list[str]:
    """Every instrument that the name could mean; unambiguous when there is exactly one.

    Names of perpetuals and futures mean none: they are not the spot instrument.
    """
    words = words_in(file_name)
    if any(word.upper() in _NOT_SPOT for word in words):
        return []
    found: dict[str, None] = {}
    for base, quote in pairwise(words):
        # Lower-case words before a coin's name are more often words than coins.
        is_base = base.upper() in _BASES or (base.isupper() and _COIN.fullmatch(base))
        if is_base and quote.upper() in _QUOTES and base.upper() != quote.upper():
            found[f"{base.upper()}/{quote.upper()}"] = None
    if not found:
        for word in words:
            found.update(dict.fromkeys(_cuts(word.upper())))
    known = [symbol for symbol in found if symbol.partition("/")[0] in _BASES]
    return known or list(found)


def timeframes_in(file_name: str) -> list[str]:
    """Every timeframe that the name holds as a word of its own."""
    said = (_LENGTHS.get(word, word) for word in words_in(file_name))
    return list(dict.fromkeys(word for word in said if word in STEPS_MS))


def words_in(file_name: str) -> list[str]:
    """The words of a name, without what tells the format."""
    return re.split(r"[_\-. +]+", _ENDINGS.sub("", file_name))


def _cuts(word: str) -> list[str]:
    cuts = [
        (word[: -len(quote)], quote)
        for quote in sorted(_QUOTES)
        if word.endswith(quote) and _COIN.fullmatch(word[: -len(quote)])
    ]
    known = [(base, quote) for base, quote in cuts if base in _BASES and base != quote]
    return [f"{base}/{quote}" for base, quote in known or cuts]
