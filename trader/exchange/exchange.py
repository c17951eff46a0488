"""The exchange as one thing: engine, clock, keys, limits, faults, books on disk, and a dialect.

Here: composition, and `respond`: one request in, one reply out, without sockets; every change is on
disk before the reply leaves. Not here: HTTP bytes (sockets.py), the words of a venue (a dialect).
"""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from hashlib import blake2b
from pathlib import Path
from typing import Any

from trader.exchange.admin import AdminPlane
from trader.exchange.bars import BarSeries, ExchangeSetupError, load_bars
from trader.exchange.binance import BinanceDialect
from trader.exchange.candles import Candles
from trader.exchange.clock import Clock
from trader.exchange.engine import Engine, Fees, Rules
from trader.exchange.faults import FaultTable
from trader.exchange.instruments import (
    Instrument,
    changed,
    default_instrument,
    split_symbol,
    symbol_in_file_name,
)
from trader.exchange.limits import ApiKey, Limits
from trader.exchange.market import Market
from trader.exchange.money import exact
from trader.exchange.sockets import Gates
from trader.exchange.state import StateDir
from trader.exchange.wire import Dialect, Reply, Request
from trader.records import dataclass, field, replace

DIALECTS: dict[str, Callable[[Exchange], Dialect]] = {"binance": BinanceDialect}
_LOG_ROWS_MAX = 20_000


@dataclass(frozen=True)
class ExchangeConfig:
    """How an exchange starts. Numbers of money are text; `bars` are FILE or FILE=SYMBOL.

    now_ms: start of the exchange's clock; None is the end of the first `warm_bars` bars.
    rate: exchange ms per wall ms: "1" runs with wall time, "0" moves only by the admin plane.
    fee_mode: "received" (base on buys, quote on sells) or "quote"; `fee_coin` pays first if held.
    """

    bars: Sequence[str | Path]
    dialect: str = "binance"
    seed: int = 1
    port: int = 0
    now_ms: int | None = None
    warm_bars: int = 500
    rate: str = "0"
    key: str = "local-key"
    secret: str = "local-secret"  # noqa: S105 - published on purpose, good on loopback only
    admin_token: str = "local-admin"  # noqa: S105 - as above
    balances: Mapping[str, str] = field(default_factory=lambda: {"USDT": "10000"})
    instruments: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict[str, Mapping[str, str]]
    )
    maker_fee: str = "0.001"
    taker_fee: str = "0.001"
    fee_mode: str = "received"
    fee_coin: str = ""
    fee_coin_prices: Mapping[str, str] = field(default_factory=dict[str, str])
    half_spread_bps: str = "0.5"
    depth: str = "1"
    id_scope: str = "unfilled"
    ended: str = "quote"
    weight_max: int = 6_000
    orders_10s_max: int = 100
    state_dir: str | Path | None = None
    fsync: bool = True


class Exchange:
    """A whole exchange without sockets. `respond` may be called from several threads."""

    def __init__(self, config: ExchangeConfig, wall_ms: Callable[[], int]) -> None:
        if config.dialect not in DIALECTS:
            known = ", ".join(DIALECTS)
            raise ExchangeSetupError(f"dialect {config.dialect!r} is not spoken; known: {known}")
        self.config = config
        self.engine, series = _build_engine(config)
        self.candles = {name: Candles(market) for name, market in self.engine.markets.items()}
        start_ms = _start_ms(config, series) if config.now_ms is None else config.now_ms
        self.clock = Clock(wall_ms, start_ms, _decimal("rate", config.rate))
        self.keys = {config.key: ApiKey(config.key, config.secret, created_ms=start_ms)}
        self.limits = Limits(config.weight_max, config.orders_10s_max)
        self.gates = Gates()
        self.faults = FaultTable()
        self.log: deque[dict[str, Any]] = deque(maxlen=_LOG_ROWS_MAX)
        self.counts: Counter[str] = Counter()
        self.now_ms = start_ms
        self._lock = threading.RLock()
        self._state: StateDir | None = None
        if config.state_dir is not None:
            self._state = StateDir(Path(config.state_dir), fsync=config.fsync)
        self._admin = AdminPlane(self)
        self._dialect = DIALECTS[config.dialect](self)
        try:
            with exact():
                self._open_books()
        except ExchangeSetupError:
            self.close()
            raise

    def respond(self, request: Request) -> Reply:
        """Answer one request: admin plane, faults, then the dialect; changes are kept first."""
        with self._lock, exact():
            self.now_ms = self.clock.now_ms()
            if request.path.startswith("/admin/"):
                reply = self._admin.answer(request)
                self.engine.views.remember(self.now_ms)
                self.keep()
                return reply
            self.engine.settle(self.now_ms)
            fault = self.faults.match(request)
            served = fault is None or fault.action.process
            reply = self._dialect(request) if served else Reply(200, b"")
            sent = reply if fault is None else fault.apply(reply)
            self._note(request, reply, sent, served=served)
            self.engine.views.remember(self.now_ms)
            self.keep()
            return sent

    def handle(
        self, method: str, path_with_query: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        """`respond` for callers without sockets; how the reply would be sent is left out."""
        path, _, query = path_with_query.partition("?")
        lower = {name.lower(): value for name, value in headers.items()}
        reply = self.respond(Request(method, path, query, lower, body))
        return reply.status, reply.headers, reply.body

    def keep(self) -> None:
        """Write what changed since the last call to the state directory, if there is one."""
        record = self.engine.books.drain()
        if self._state is not None and record is not None:
            self._state.append(self._record(record), lambda: self._record(None))

    def keep_now(self) -> None:
        """Keep the clock and the instruments' rules after the admin plane changed them."""
        if self._state is not None:
            changes = self.engine.books.drain() or {}
            record = {**self._record(changes), "instruments": self._rules()}
            self._state.append(record, lambda: self._record(None))

    def close(self) -> None:
        """End: release held replies and the state directory."""
        self.gates.close()
        if self._state is not None:
            self._state.close()

    def assets(self) -> list[str]:
        """Every coin that an instrument names or an account holds, sorted."""
        named = {x.base for x in self.engine.instruments.values()}
        named |= {x.quote for x in self.engine.instruments.values()}
        for held in self.engine.books.accounts.values():
            named |= set(held)
        return sorted(named | ({self.config.fee_coin} - {""}))

    def made_up_id(self, symbol: str, order_id: int | None = None) -> str:
        """A client id for an order that came without one, or for the cancel of `order_id`; the
        same again for the same history."""
        made = self.engine.books.counters.get(f"order:{symbol}", 0)
        name = f"{self.config.seed}|{symbol}|{made}|{order_id}"
        return blake2b(name.encode(), digest_size=11).hexdigest()

    def _record(self, books: dict[str, Any] | None) -> dict[str, Any]:
        taken = {
            name: [
                list(market.taken_at or ()),
                [[side, str(price), str(qty)] for (side, price), qty in market.taken.items()],
            ]
            for name, market in self.engine.markets.items()
            if market.taken_at is not None
        }
        return {
            "seed": self.config.seed,
            "books": self.engine.books.as_json() if books is None else books,
            "clock": self.clock.as_json(),
            "settled_ms": self.engine.settled_ms,
            "instruments": self._rules() if books is None else {},
            "taken": taken,
        }

    def _rules(self) -> dict[str, dict[str, str]]:
        return {name: rules.as_json() for name, rules in self.engine.instruments.items()}

    def _open_books(self) -> None:
        records = self._state.load() if self._state is not None else []
        if records and records[-1]["seed"] != self.config.seed:
            raise ExchangeSetupError(
                f"the kept books were made with --seed {records[-1]['seed']}; give that one, or "
                "another state directory"
            )
        for record in records:
            if record["books"]:
                self.engine.books.load(record["books"])
            for name, row in record["instruments"].items():
                if name in self.engine.instruments:
                    self.engine.instruments[name] = changed(self.engine.instruments[name], row)
        strange = [name for name, x in self.engine.books.open.items() if x]
        strange = [name for name in strange if name not in self.engine.instruments]
        if strange:
            raise ExchangeSetupError(
                f"the kept books hold open orders of {', '.join(strange)}: give its bar file, too"
            )
        if records:
            last = records[-1]
            self.clock.load(last["clock"])
            self.engine.settled_ms = last["settled_ms"]
            for name, (moment, rows) in last["taken"].items():
                if name in self.engine.markets:
                    market = self.engine.markets[name]
                    market.taken_at = (moment[0], moment[1])
                    market.taken = {(s, Decimal(p)): Decimal(q) for s, p, q in rows}
        else:
            self.engine.settled_ms = self.clock.now_ms()
            for asset, amount in self.config.balances.items():
                self.engine.books.deposit("main", asset, _decimal(asset, amount))
            self.keep()

    def _note(self, request: Request, reply: Reply, sent: Reply, *, served: bool) -> None:
        self.counts[f"{request.method} {request.path}"] += 1
        row = {"at_ms": self.now_ms, "method": request.method, "path": request.path}
        row |= {"served": served, "status": sent.status, "sending": sent.sending.mode}
        if served:
            row |= {"outcome": reply.status, **reply.note}
        self.log.append(row)


def _build_engine(config: ExchangeConfig) -> tuple[Engine, dict[str, BarSeries]]:
    if not config.bars:
        raise ExchangeSetupError("no bar file given; an exchange needs at least one")
    instruments: dict[str, Instrument] = {}
    series: dict[str, BarSeries] = {}
    overrides = {_joined(name): rules for name, rules in config.instruments.items()}
    for spec in config.bars:
        file_name, _, named = str(spec).partition("=")
        path = Path(file_name)
        bars = load_bars(path)
        symbol = named or symbol_in_file_name(path.name)
        if symbol is None or split_symbol(symbol) is None:
            raise ExchangeSetupError(f"{spec}: no symbol in the name; write FILE=BASE/QUOTE")
        wanted = overrides.pop(_joined(symbol), {})
        decimals = 0 if "tick" in wanted else bars.decimals()
        rules = changed(default_instrument(symbol, bars.bar(0).open, decimals), wanted)
        if rules.symbol in instruments:
            raise ExchangeSetupError(f"{spec}: {rules.symbol} already has a bar file")
        # A venue's candles lie on its own grid, even if the file is finer than that.
        bars.put_on(rules.tick)
        instruments[rules.symbol] = rules
        series[rules.symbol] = bars
    if overrides:
        raise ExchangeSetupError(f"rules for {', '.join(overrides)}, which has no bar file")
    spread = _decimal("half_spread_bps", config.half_spread_bps) / 10_000
    depth = _decimal("depth", config.depth)
    markets = {
        name: Market(name, bars, config.seed, spread, depth) for name, bars in series.items()
    }
    prices = {name: _decimal(name, price) for name, price in config.fee_coin_prices.items()}
    fees = Fees(
        _decimal("maker_fee", config.maker_fee), _decimal("taker_fee", config.taker_fee),
        config.fee_mode, config.fee_coin, coin_prices=prices,
    )  # fmt: skip
    rules = replace(Rules(fees), id_scope=config.id_scope, ended=config.ended)
    return Engine(markets, instruments, rules), series


def _joined(symbol: str) -> str:
    base_quote = split_symbol(symbol)
    return "".join(base_quote) if base_quote else symbol


def _start_ms(config: ExchangeConfig, series: dict[str, BarSeries]) -> int:
    """The end of the first `warm_bars` bars of the first file."""
    first = next(iter(series.values()))
    return first.close_ms(min(config.warm_bars, len(first)) - 1)


def _decimal(name: str, value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise ExchangeSetupError(f"{name}={value!r} is not a number") from error
    if not number.is_finite() or number < 0:
        raise ExchangeSetupError(f"{name}={value!r} must be finite and not negative")
    return number
