"""The venue's instruments: what was listed, what of it is in use, and what ccxt is told of it.

Lives here: rows of a listing (rules as canonical rows, plus the few words of the venue that ccxt
needs), fetched once or read from the cache file. Must not live here: requests, and the file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from trader.core.state import instrument_of, instrument_row
from trader.domain.instrument import Instrument
from trader.venues import parse
from trader.venues.instrument_cache import InstrumentCache, Rows
from trader.venues.outcomes import Garbage


class Listing:
    """Instruments of one venue, known by symbol. Safe to use from any thread."""

    def __init__(
        self,
        cache: InstrumentCache | None,
        clock_ms: Callable[[], int],
        fetch: Callable[[], Rows],
        tell: Callable[[list[dict[str, Any]]], None],
    ) -> None:
        """`fetch` asks the venue for all rows; `tell` gives ccxt the markets in use."""
        self._cache = cache
        self._clock_ms = clock_ms
        self._fetch = fetch
        self._tell = tell
        self._lock = threading.Lock()
        self._rows: Rows = {}
        self._whole = False
        self._used: set[str] = set()

    def renewed(self) -> dict[str, Instrument]:
        """Every instrument, asked for now. Raises what `fetch` raises."""
        with self._lock:
            self._renew()
            return {symbol: instrument_of(row) for symbol, row in self._rows.items()}

    def of(self, symbols: Sequence[str]) -> dict[str, Instrument]:
        """Of these symbols, those that are listed: from what is known or cached where that holds
        them all, else from the venue. Raises what `fetch` raises."""
        with self._lock:
            missing = [symbol for symbol in symbols if symbol not in self._rows]
            if missing and not self._whole and not self._recall(missing):
                self._renew()
            listed = [symbol for symbol in symbols if symbol in self._rows]
            if not self._used.issuperset(listed):
                # ccxt needs no others, and each costs a little in every process.
                self._used.update(listed)
                self._tell([_market(self._rows[symbol]) for symbol in sorted(self._used)])
            return {symbol: instrument_of(self._rows[symbol]) for symbol in listed}

    def active_symbols(self) -> list[str]:
        """Names of the instruments that can be traded, sorted: from what is known or cached, else
        from the venue. Raises what `fetch` raises."""
        with self._lock:
            cached = None
            if not self._whole and self._cache is not None:
                cached = self._cache.active_symbols(self._clock_ms())
            if cached is not None:
                return cached
            if not self._whole:
                self._renew()
            return sorted(symbol for symbol, row in self._rows.items() if row["active"])

    def venue_id(self, symbol: str) -> str:
        """The venue's own name of an instrument; KeyError when it is not listed."""
        return str(self._rows[symbol]["ccxt"]["id"])

    def doubt(self) -> None:
        """The rules may have changed: the next process asks the venue."""
        if self._cache is not None:
            self._cache.drop()

    def _recall(self, symbols: Sequence[str]) -> bool:
        """Take rows from the cache file; whether it holds them all."""
        cached = self._cache.load(symbols, self._clock_ms()) if self._cache else None
        if cached is None or any(symbol not in cached for symbol in symbols):
            return False
        self._rows.update(cached)
        return True

    def _renew(self) -> None:
        self._rows = self._fetch()
        self._whole = True
        self._used = set()
        if self._cache is not None:
            self._cache.save(self._rows, self._clock_ms())


def rows_from(markets: Sequence[dict[str, Any]], kept: Mapping[str, Any]) -> Rows:
    """Rows by symbol, sorted, of ccxt's markets; `kept` names the raw parts that ccxt
    needs later, with what to assume where they are left out.

    Raises Garbage when not one of them is an instrument with usable rules.
    """
    rows: Rows = {}
    for market in markets:
        instrument = parse.instrument_from(market)
        if instrument is None:
            continue
        raw: dict[str, Any] = market["info"]
        words = {name: market[name] for name in ("id", "baseId", "quoteId")}
        words["info"] = {name: raw.get(name, assumed) for name, assumed in kept.items()}
        rows[instrument.symbol] = {**instrument_row(instrument), "ccxt": words}
    if not rows:
        raise Garbage("no instrument with usable rules")
    return dict(sorted(rows.items()))


def _market(row: dict[str, Any]) -> dict[str, Any]:
    """A row as the market description that ccxt needs to place and read orders."""
    words: dict[str, Any] = row["ccxt"]
    limits = {
        "amount": {"min": row["qty_min"], "max": row["qty_max"]},
        "cost": {"min": row["notional_min"], "max": None},
    }
    return {
        **words,
        "symbol": row["symbol"],
        "base": row["base"],
        "quote": row["quote"],
        "active": bool(row["active"]),
        "type": "spot",
        "spot": True,
        **dict.fromkeys(("margin", "swap", "future", "option", "contract"), False),
        "taker": row["fee_taker"],
        "maker": row["fee_maker"],
        "precision": {"amount": row["lot"], "price": row["tick"]},
        "limits": limits,
    }
