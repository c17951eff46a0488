"""Hosts: one place to go per mode, checked when the venue is opened and before each request."""

from __future__ import annotations

import importlib
import json
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.contracts.venue_contract import approved
from trader.domain.order import Side
from trader.errors import UsageError, VenueRefused
from trader.venues.binance import BINANCE
from trader.venues.ccxt_import import load_exchange_class
from trader.venues.ccxt_venue import CcxtConfig, CcxtVenue
from trader.venues.outcomes import Barred
from trader.venues.watchdog import Watchdog

from .conftest import NOW_MS
from .scripted import Say, Scripted, said

LOCAL = "http://127.0.0.1:4321"


def _guard() -> Any:
    load_exchange_class("binance")
    return importlib.import_module("trader.venues.guard")


def _built(mode: str, base_url: str = "") -> tuple[Any, frozenset[str]]:
    guard = _guard()
    exchange, hosts, _ = guard.build_exchange(
        load_exchange_class("binance"),
        BINANCE,
        guard.Target(mode, base_url),
        guard.Credentials("key", "secret"),
        lambda: NOW_MS,
        (TypeError,),
    )
    return exchange, hosts


def _urls(tree: Any) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    return [url for part in tree.values() for url in _urls(part)]


def test_a_base_url_leaves_no_other_host_anywhere() -> None:
    exchange, hosts = _built("testnet", LOCAL)
    urls = _urls(exchange.urls)
    assert len(urls) > 10
    assert {urlsplit(url).netloc for url in urls} == {"127.0.0.1:4321"} == set(hosts)
    assert exchange.urls["api"]["private"] == f"{LOCAL}/api/v3"


@pytest.mark.parametrize(
    ("mode", "host"),
    [("testnet", "testnet.binance.vision"), ("live", "api.binance.com"),
     ("paper", "api.binance.com")],
)  # fmt: skip
def test_each_mode_knows_its_own_host_only(mode: str, host: str) -> None:
    exchange, hosts = _built(mode)
    assert {urlsplit(url).netloc for url in _urls(exchange.urls)} == {host} == set(hosts)


def test_a_class_without_a_testnet_is_refused() -> None:
    guard = _guard()

    class NoSandbox(load_exchange_class("binance")):  # type: ignore[misc] # ccxt is untyped
        def set_sandbox_mode(self, enabled: bool) -> None:
            raise TypeError("string indices must be integers")

    with pytest.raises(VenueRefused, match="no testnet"):
        guard.build_exchange(
            NoSandbox, BINANCE, guard.Target("testnet"), guard.Credentials(), lambda: NOW_MS,
            (TypeError,),
        )  # fmt: skip


def test_a_sandbox_that_changes_nothing_is_refused() -> None:
    guard = _guard()

    class Idle(load_exchange_class("binance")):  # type: ignore[misc] # ccxt is untyped
        def set_sandbox_mode(self, enabled: bool) -> None:
            """Leaves production's addresses in place."""

    with pytest.raises(VenueRefused, match="testnet"):
        guard.build_exchange(
            Idle, BINANCE, guard.Target("testnet"), guard.Credentials(), lambda: NOW_MS, ()
        )


def test_a_class_that_would_send_again_by_itself_is_refused() -> None:
    guard = _guard()

    class Eager(load_exchange_class("binance")):  # type: ignore[misc] # ccxt is untyped
        def describe(self) -> Any:
            return self.deep_extend(super().describe(), {"options": {"maxRetriesOnFailure": 2}})

    with pytest.raises(VenueRefused, match="again"):
        guard.build_exchange(
            Eager, BINANCE, guard.Target("paper"), guard.Credentials(), lambda: NOW_MS, ()
        )


@pytest.mark.parametrize(
    "base_url",
    [
        "http://10.0.0.1:80",
        "https://api.binance.com",
        "http://127.0.0.1.example.com",
        "http://user@127.0.0.1",
        "http://evil@127.0.0.1:1",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://",
    ],
)
def test_a_base_url_that_is_not_loopback_is_refused(base_url: str) -> None:
    with pytest.raises(UsageError, match="loopback"):
        CcxtVenue(CcxtConfig("binance", "testnet", base_url), lambda: NOW_MS)


def test_a_base_url_is_refused_in_live_mode() -> None:
    with pytest.raises(UsageError, match="live"):
        CcxtVenue(CcxtConfig("binance", "live", LOCAL), lambda: NOW_MS)


def test_an_unknown_exchange_or_mode_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="not supported"):
        CcxtVenue(CcxtConfig("nonesuch", "paper"), lambda: NOW_MS)
    with pytest.raises(UsageError, match="mode"):
        CcxtVenue(CcxtConfig("binance", "demo"), lambda: NOW_MS)


def test_a_request_to_another_host_does_not_leave(serve: Callable[..., Scripted]) -> None:
    _guard()
    wires = importlib.import_module("trader.venues.wire")
    other = serve(lambda _: said({}))
    wire = wires.Wire(frozenset({"127.0.0.1:1"}), Watchdog(time.monotonic), lambda: 1.0)
    wire.begin(None)
    with wires.WireSession(wire) as session, pytest.raises(Barred, match="may go to"):
        session.request("GET", f"{other.base_url}/api/v3/time")
    assert not wire.left
    assert other.asked == []


@pytest.mark.parametrize(("status", "body"), [(200, None), (200, 7), (200, "x"), (302, {})])
def test_an_answer_without_json_is_an_error_whatever_was_asked(status: int, body: Any) -> None:
    guard = _guard()
    template, hosts = _built("testnet", LOCAL)
    wires = importlib.import_module("trader.venues.wire")
    wire = wires.Wire(hosts, Watchdog(time.monotonic), lambda: 1.0)
    exchange = guard.clone_exchange(template, wire, LookupError, lambda url: url)
    url = f"{LOCAL}/api/v3/ping"
    with pytest.raises(LookupError):
        exchange.handle_errors(status, "", url, "GET", {}, str(body), body, {}, None)
    exchange.handle_errors(200, "", url, "GET", {}, "{}", {}, {}, None)


def test_error_tables_are_those_of_the_real_address() -> None:
    guard = _guard()
    kind = load_exchange_class("binance")
    credentials = guard.Credentials("key", "secret")
    args = (kind, BINANCE, guard.Target("testnet", LOCAL), credentials, lambda: NOW_MS, ())
    template, hosts, real = guard.build_exchange(*args)
    assert real(f"{LOCAL}/api/v3/order") == "https://api.binance.com/api/v3/order"
    wires = importlib.import_module("trader.venues.wire")
    wire = wires.Wire(hosts, Watchdog(time.monotonic), lambda: 1.0)
    exchange = guard.clone_exchange(template, wire, LookupError, real)
    errors = importlib.import_module("ccxt.base.errors")
    answer = {"code": -1008, "msg": "overloaded"}
    url = f"{LOCAL}/api/v3/order"
    with pytest.raises(errors.OperationFailed):
        exchange.handle_errors(400, "", url, "POST", {}, json.dumps(answer), answer, {}, None)


def test_a_redirect_to_another_host_is_not_followed(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    other = serve(lambda _: said({}))
    away = Say(307, "", (("Location", f"{other.base_url}/api/v3/order"),))
    server = serve(lambda _: away)
    venue = open_venue(server.base_url)
    venue.submit(approved(Side.BUY, "100", "1"))
    assert server.count("POST", "/api/v3/order") == 1
    assert other.asked == []


def test_requests_are_stamped_with_the_given_clock(
    serve: Callable[..., Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    server = serve(lambda _: said({"balances": []}))
    venue = open_venue(server.base_url, clock=lambda: 1_234_567_890_123)
    assert venue.fetch_balances() == {}
    assert dict(parse_qsl(server.asked[-1].query))["timestamp"] == "1234567890123"
    assert server.asked[-1].headers["x-mbx-apikey"] == "test-key"


def test_no_log_shows_key_secret_or_signature(
    serve: Callable[..., Scripted],
    open_venue: Callable[..., CcxtVenue],
    caplog: pytest.LogCaptureFixture,
) -> None:
    server = serve(lambda _: said({"balances": []}))
    with caplog.at_level(logging.DEBUG):
        open_venue(server.base_url).fetch_balances()
    signature = dict(parse_qsl(server.asked[-1].query))["signature"]
    for canary in ("test-key", "test-secret", signature):
        assert canary not in caplog.text
    assert "test-secret" not in repr(CcxtConfig("binance", "live", "", "test-key", "test-secret"))


_PROBE = """
import json, sys
from trader.venues.ccxt_venue import CcxtConfig, CcxtVenue
venue = CcxtVenue(CcxtConfig("binance", "testnet", "http://127.0.0.1:9", "k", "s"), lambda: 1)
heavy = ["pandas", "numpy", "numba", "sqlite_utils", "aiohttp", "pydantic", "rich", "typer", "yaml",
         "sqlite3", "asyncio", "tenacity", "charset_normalizer", "cryptography", "ccxt.kraken",
         "requests.packages.chardet", "ccxt.async_support"]
ccxt = [name for name in sys.modules if name.startswith("ccxt.")]
print(json.dumps([[name for name in heavy if name in sys.modules], len(ccxt)]))
"""


def test_opening_the_venue_imports_nothing_heavy() -> None:
    root = Path(__file__).parents[2]
    # Measuring coverage would import its own libraries into the process that is looked at.
    plain = {name: value for name, value in os.environ.items() if "COVERAGE" not in name}
    words = [sys.executable, "-c", _PROBE]
    run = subprocess.run(words, capture_output=True, text=True, check=True, cwd=root, env=plain)
    heavy, ccxt_modules = json.loads(run.stdout)
    assert heavy == []
    assert 5 < ccxt_modules < 15
