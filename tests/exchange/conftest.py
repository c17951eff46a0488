"""What the tests of the local exchange share: bar files, served exchanges, and two customers.

`customer` signs raw requests by itself, so that the dialect is not checked with its own code;
`ccxt_of` is the real client library, unmodified but for the addresses.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import http.client
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from trader.exchange.server import ExchangeConfig, RunningExchange, serve_in_thread

START_MS = 1_700_006_400_000  # midnight UTC, 2023-11-15
MINUTE_MS = 60_000

# One bar: open, high, low, close, volume.
Row = tuple[str, str, str, str, str]
FLAT: Row = ("100", "100", "100", "100", "600")
RULES = {"BTCUSDT": {"tick": "0.01", "lot": "0.001", "min_notional": "10", "max_qty": "1000",
                     "market_max_qty": "50", "max_price": "100000"}}  # fmt: skip


@pytest.fixture
def bar_file(tmp_path: Path) -> Callable[..., str]:
    """Writes minute bars from START_MS on; None leaves a hole. Returns FILE=SYMBOL."""

    def write(rows: list[Row | None], symbol: str = "BTCUSDT", step_ms: int = MINUTE_MS) -> str:
        lines = ["timestamp_ms,open,high,low,close,volume"]
        for index, row in enumerate(rows):
            if row is not None:
                lines.append(",".join([str(START_MS + index * step_ms), *row]))
        path = tmp_path / f"{symbol}.csv.gz"
        path.write_bytes(gzip.compress("\n".join(lines).encode()))
        return f"{path}={symbol}"

    return write


@pytest.fixture
def serve() -> Iterator[Callable[..., RunningExchange]]:
    """Serves exchanges until the test ends; by default the clock stands at the end of bar 2."""
    with ExitStack() as stack:

        def start(*bars: str, **options: Any) -> RunningExchange:
            settings: dict[str, Any] = {"now_ms": START_MS + 2 * MINUTE_MS, **options}
            return stack.enter_context(serve_in_thread(ExchangeConfig(bars=bars, **settings)))

        yield start


@dataclass
class Answer:
    """One HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def refusal(self) -> tuple[int, int, str]:
        """(HTTP status, code, msg)."""
        return self.status, self.json["code"], self.json["msg"]


@dataclass
class Customer:
    """Signs and sends over one keep-alive connection."""

    port: int
    now_ms: int
    key: str = "local-key"
    secret: str = "local-secret"
    timeout_s: float = 10.0
    connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=self.timeout_s)

    def get(self, path: str, **params: Any) -> Answer:
        """An unsigned read."""
        query = f"?{urlencode(params)}" if params else ""
        return self.send("GET", f"/api/v3/{path}{query}")

    def signed(self, method: str, path: str, **params: Any) -> Answer:
        """A signed request: POST carries a form, the others a query. Paths under /api/v3/."""
        full = path if path.startswith("/") else f"/api/v3/{path}"
        payload = urlencode({"timestamp": self.now_ms, **params})
        digest = hmac.new(self.secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
        payload += f"&signature={digest}"
        headers = {"X-MBX-APIKEY": self.key}
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            return self.send(method, full, payload, headers)
        return self.send(method, f"{full}?{payload}", None, headers)

    def limit(self, side: str, qty: str, price: str, tif: str = "GTC", **more: Any) -> Answer:
        """A limit order for BTCUSDT."""
        params = {"symbol": "BTCUSDT", "side": side, "type": "LIMIT", "timeInForce": tif}
        return self.signed("POST", "order", **params, quantity=qty, price=price, **more)

    def market(self, side: str, **more: Any) -> Answer:
        """A market order for BTCUSDT."""
        return self.signed("POST", "order", symbol="BTCUSDT", side=side, type="MARKET", **more)

    def balance(self, asset: str) -> tuple[str, str]:
        """(free, locked) of an asset."""
        rows = self.signed("GET", "account").json["balances"]
        found = next(row for row in rows if row["asset"] == asset)
        return found["free"], found["locked"]

    def send(
        self,
        method: str,
        path: str,
        body: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send as it is."""
        self.connection.request(method, path, body, headers or {})
        response = self.connection.getresponse()
        return Answer(response.status, dict(response.headers), response.read())


@pytest.fixture
def customer() -> Iterator[Callable[[RunningExchange], Customer]]:
    """Makes customers whose clock is the exchange's; their connections end with the test."""
    made: list[Customer] = []

    def make(served: RunningExchange, **options: Any) -> Customer:
        made.append(Customer(served.port, served.exchange.clock.now_ms(), **options))
        return made[-1]

    yield make
    for one in made:
        one.connection.close()


@pytest.fixture
def open_at_100(
    bar_file: Callable[..., str],
    serve: Callable[..., RunningExchange],
    customer: Callable[..., Customer],
) -> Callable[..., tuple[RunningExchange, Customer]]:
    """An exchange that stands at 100 after two flat bars; the third bar is `then`."""

    def start(then: Row = FLAT, **options: Any) -> tuple[RunningExchange, Customer]:
        settings: dict[str, Any] = {
            "now_ms": START_MS + 2 * MINUTE_MS - 1,
            "instruments": RULES,
            "balances": {"USDT": "10000", "BTC": "10"},
            **options,
        }
        served = serve(bar_file([FLAT, FLAT, then, FLAT]), **settings)
        return served, customer(served)

    return start
