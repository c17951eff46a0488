"""Starting the exchange: in a thread, or as a process with options.

Here: `serve_in_thread` for tests and the demo, `run` for the command line, and the wall clock that
only this module reads. Not here: anything that answers a request.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trader.exchange.bars import ExchangeSetupError
from trader.exchange.client import AdminClient
from trader.exchange.engine import Engine
from trader.exchange.exchange import DIALECTS, Exchange, ExchangeConfig
from trader.exchange.instruments import parse_override
from trader.exchange.sockets import SocketServer
from trader.records import dataclass

__all__ = ["ExchangeConfig", "RunningExchange", "run", "serve_in_thread"]


@dataclass(frozen=True)
class RunningExchange:
    """A served exchange: `exchange` and `engine` are reachable in-process, too."""

    exchange: Exchange
    port: int

    @property
    def base_url(self) -> str:
        """http://127.0.0.1:PORT without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def admin(self) -> AdminClient:
        """A client of the admin plane."""
        return AdminClient(self.port, self.exchange.config.admin_token)

    @property
    def engine(self) -> Engine:
        """The matching engine itself."""
        return self.exchange.engine


def wall_ms() -> int:
    """Wall time, UTC epoch ms."""
    return time.time_ns() // 1_000_000


@contextmanager
def serve_in_thread(config: ExchangeConfig) -> Generator[RunningExchange]:
    """Serve on loopback from threads of this process until the block ends."""
    exchange = Exchange(config, wall_ms)
    try:
        server = _listen(exchange)
        server.start()
        try:
            yield RunningExchange(exchange, server.port)
        finally:
            server.stop()
    finally:
        exchange.close()


def run(argv: Sequence[str], environ: Mapping[str, str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; prints one line of JSON with the url when ready.

    Raises ExchangeSetupError (exit code 2) when the options, a bar file or the books are wrong.
    """
    config = parse_options(argv, os.environ if environ is None else environ)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    with serve_in_thread(config) as served:
        ready: dict[str, Any] = {"url": served.base_url, "port": served.port, "pid": os.getpid()}
        ready |= {"dialect": config.dialect, "now_ms": served.exchange.clock.now_ms()}
        ready["symbols"] = list(served.engine.instruments)
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        stop.wait()
    return 0


def parse_options(argv: Sequence[str], environ: Mapping[str, str]) -> ExchangeConfig:
    """Options of `trader exchange serve` to a configuration."""
    given = _parser().parse_args(list(argv))
    overrides: dict[str, dict[str, str]] = {}
    for spec in given.instrument:
        for symbol, rules in _overrides(spec):
            overrides.setdefault(symbol, {}).update(rules)
    balances = dict(_pair(spec) for spec in given.balance)
    return ExchangeConfig(
        bars=given.bars, dialect=given.dialect, seed=given.seed, port=given.port,
        now_ms=None if given.now is None else _time_ms(given.now), warm_bars=given.warm_bars,
        rate=given.rate or ("1" if given.clock == "real" else "0"),
        key=given.key or environ.get("EXCHANGE_KEY", ExchangeConfig.key),
        secret=given.secret or environ.get("EXCHANGE_SECRET", ExchangeConfig.secret),
        admin_token=given.admin_token
        or environ.get("EXCHANGE_ADMIN_TOKEN", ExchangeConfig.admin_token),
        balances=balances or {"USDT": "10000"}, instruments=overrides,
        maker_fee=given.maker_fee, taker_fee=given.taker_fee, fee_mode=given.fee_mode,
        fee_coin=given.fee_coin, fee_coin_prices=dict(_pair(x) for x in given.fee_coin_price),
        half_spread_bps=given.half_spread_bps, depth=given.depth, id_scope=given.id_scope,
        ended=given.ended, weight_max=given.weight_max, orders_10s_max=given.orders_10s_max,
        state_dir=given.state, fsync=not given.no_fsync,
    )  # fmt: skip


def _listen(exchange: Exchange) -> SocketServer:
    try:
        return SocketServer(exchange.respond, exchange.config.port, exchange.gates)
    except OSError as error:
        raise ExchangeSetupError(
            f"port {exchange.config.port}: cannot listen: {error}; 0 picks a free one"
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trader exchange serve",
        description="Serve bar files as an exchange on 127.0.0.1, until interrupted. Prints one "
        "line of JSON with the url when ready. Key, secret and admin token are better given as "
        "EXCHANGE_KEY, EXCHANGE_SECRET and EXCHANGE_ADMIN_TOKEN.",
    )
    add = parser.add_argument
    add("--bars", nargs="+", action="extend", required=True, metavar="FILE[=SYMBOL]")
    add("--dialect", default="binance", choices=sorted(DIALECTS))
    add("--port", type=int, default=0, help="0 picks a free one")
    add("--seed", type=int, default=1)
    add("--state", metavar="DIR", help="keep the books there; they survive a restart")
    add("--no-fsync", action="store_true", help="survive a kill, but not a power cut")
    add("--now", help="start of the clock of new books: epoch ms or s, ISO time (UTC)")
    add("--warm-bars", type=int, default=500, help="without --now: start after so many bars")
    add("--clock", choices=("real", "manual"), default="real")
    add("--rate", default="", help="exchange ms per wall ms; overrides --clock")
    add("--key", default="")
    add("--secret", default="")
    add("--admin-token", default="")
    add("--balance", action="append", default=[], metavar="USDT=10000")
    add("--instrument", action="append", default=[], metavar="BTCUSDT:tick=0.01,... or FILE.json")
    add("--maker-fee", default="0.001")
    add("--taker-fee", default="0.001")
    add("--fee-mode", choices=("received", "quote"), default="received")
    add("--fee-coin", default="", help="pays fees first when held, e.g. BNB")
    add("--fee-coin-price", action="append", default=[], metavar="BNBUSDT=300")
    add("--half-spread-bps", default="0.5")
    add("--depth", default="1", help="multiplier of the book's sizes")
    add("--id-scope", choices=("unfilled", "open", "unique"), default="unfilled")
    add("--ended", choices=("quote", "break"), default="quote", help="after the last bar")
    add("--weight-max", type=int, default=6_000)
    add("--orders-10s-max", type=int, default=100)
    return parser


def _overrides(spec: str) -> list[tuple[str, dict[str, str]]]:
    if not spec.endswith(".json"):
        return [parse_override(spec)]
    try:
        rows: dict[str, dict[str, Any]] = json.loads(Path(spec).read_text())
        return [
            (symbol.replace("/", "").upper(), {name: str(x) for name, x in rules.items()})
            for symbol, rules in rows.items()
        ]
    except (OSError, ValueError, AttributeError) as error:
        raise ExchangeSetupError(f"{spec}: not a JSON object of instruments: {error}") from error


def _pair(spec: str) -> tuple[str, str]:
    name, mark, value = spec.partition("=")
    if not mark or not name:
        raise ExchangeSetupError(f"{spec!r}: write NAME=AMOUNT")
    return name.upper(), value


def _time_ms(given: str) -> int:
    if given.isdigit():
        return int(given) * (1000 if len(given) <= 11 else 1)
    try:
        stamp = datetime.fromisoformat(given)
    except ValueError as error:
        raise ExchangeSetupError(f"--now {given!r}: neither epoch nor ISO time") from error
    stamp = stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp
    return int(stamp.timestamp() * 1000)


def main() -> int:
    """`python -m trader.exchange.server`: an exit code, and one sentence on stderr on failure."""
    try:
        return run(sys.argv[1:])
    except ExchangeSetupError as error:
        sys.stderr.write(f"{error}\n")
        return 2


if __name__ == "__main__":
    sys.exit(main())
