"""The admin plane: what a test, a drill or a rehearsal may do behind the venue's back.

Here: the paths under /admin/ (JSON in and out, guarded by a token): books, clock, faults, orders by
hand, deposits, instruments, keys, request counts. Not here: anything a client of a venue can see.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, cast

from trader.exchange.bars import ExchangeSetupError
from trader.exchange.books import Order, Shortage
from trader.exchange.engine import OrderRequest, Refused
from trader.exchange.faults import FaultError
from trader.exchange.instruments import changed
from trader.exchange.limits import ApiKey
from trader.exchange.money import plain
from trader.exchange.wire import Reply, Request

if TYPE_CHECKING:
    from trader.exchange.exchange import Exchange

_Answer = Callable[[dict[str, Any]], Any]


class AdminPlane:
    """Answers requests under /admin/. Errors are {"error": sentence} with HTTP 400, 403 or 404."""

    def __init__(self, exchange: Exchange) -> None:
        self._x = exchange
        self._routes: dict[tuple[str, str], _Answer] = {
            ("GET", "/admin/books"): self._books,
            ("GET", "/admin/clock"): self._clock,
            ("POST", "/admin/clock"): self._set_clock,
            ("GET", "/admin/faults"): self._faults,
            ("POST", "/admin/faults"): self._add_faults,
            ("DELETE", "/admin/faults"): self._clear_faults,
            ("GET", "/admin/gates"): lambda _: self._x.gates.waiting(),
            ("POST", "/admin/gates"): self._open_gate,
            ("POST", "/admin/orders"): self._place,
            ("POST", "/admin/orders/cancel"): self._cancel,
            ("POST", "/admin/orders/fill"): self._fill,
            ("POST", "/admin/balances"): self._move_money,
            ("GET", "/admin/instruments"): self._instruments,
            ("POST", "/admin/instruments"): self._change_instrument,
            ("POST", "/admin/keys"): self._change_key,
            ("POST", "/admin/ban"): self._ban,
            ("GET", "/admin/moods"): lambda _: self._x.engine.views.moods.as_json(),
            ("POST", "/admin/moods"): self._change_moods,
            ("GET", "/admin/requests"): self._requests,
            ("DELETE", "/admin/requests"): self._clear_requests,
        }

    def answer(self, request: Request) -> Reply:
        """Answer one admin request."""
        token = request.headers.get("x-admin-token", "")
        if not hmac.compare_digest(token.encode(), self._x.config.admin_token.encode()):
            return _reply(403, {"error": "the admin plane needs its token in X-Admin-Token"})
        route = self._routes.get((request.method, request.path))
        if route is None:
            return _reply(404, {"error": f"no {request.method} {request.path}"})
        try:
            given: Any = json.loads(request.body) if request.body else {}
            return _reply(200, route(given))
        except Refused as error:
            return _reply(400, {"error": f"refused: {error.reason.value}"})
        except (KeyError, TypeError, ValueError, InvalidOperation, AttributeError) as error:
            return _reply(400, {"error": f"{type(error).__name__}: {error}"})
        except (FaultError, Shortage, ExchangeSetupError) as error:
            return _reply(400, {"error": str(error)})

    def _books(self, _: dict[str, Any]) -> Any:
        self._x.engine.settle(self._x.now_ms)
        return {"now_ms": self._x.now_ms, **self._x.engine.books.as_json()}

    def _clock(self, _: dict[str, Any]) -> Any:
        return {"now_ms": self._x.clock.now_ms(), "rate": plain(self._x.clock.rate)}

    def _set_clock(self, given: dict[str, Any]) -> Any:
        clock = self._x.clock
        at_ms = int(given["now_ms"]) if "now_ms" in given else clock.now_ms()
        at_ms += int(given.get("advance_ms", 0))
        rate = Decimal(str(given["rate"])) if "rate" in given else None
        if at_ms < 0 or (rate is not None and not (rate.is_finite() and rate >= 0)):
            raise ValueError("a clock's time and rate are finite and not negative")
        clock.set(at_ms, rate)
        self._x.now_ms = clock.now_ms()
        self._x.engine.settle(self._x.now_ms)
        self._x.keep_now()
        return self._clock({})

    def _faults(self, _: dict[str, Any]) -> Any:
        return [fault.as_json() for fault in self._x.faults.faults]

    def _add_faults(self, given: Any) -> Any:
        scripts = cast("list[dict[str, Any]]", given if isinstance(given, list) else [given])
        return {"ids": self._x.faults.add(scripts)}

    def _clear_faults(self, _: dict[str, Any]) -> Any:
        self._x.faults.clear()
        return {}

    def _open_gate(self, given: dict[str, Any]) -> Any:
        return {"released": self._x.gates.open(given.get("gate", "gate"))}

    def _place(self, given: dict[str, Any]) -> Any:
        now_ms = self._x.now_ms
        self._x.engine.settle(now_ms)
        wish = OrderRequest(
            account=given.get("account", "main"),
            symbol=given["symbol"],
            side=given["side"],
            type=given.get("type", "LIMIT"),
            client_id=given.get("client_id") or self._x.made_up_id(given["symbol"]),
            tif=given.get("tif", "GTC"),
            qty=Decimal(str(given["qty"])),
            price=Decimal(str(given.get("price", "0"))),
            by_hand=True,
        )
        order, _ = self._x.engine.place(wish, now_ms)
        return {"order_id": order.order_id, "client_id": order.client_id, "status": order.status}

    def _order(self, given: dict[str, Any]) -> Order:
        books = self._x.engine.books
        if "order_id" in given:
            return books.orders[given["symbol"], int(given["order_id"])]
        account = given.get("account", "main")
        found = books.with_client_id(account, given["symbol"], given["client_id"])
        if not found:
            raise KeyError(given["client_id"])
        return found[-1]

    def _cancel(self, given: dict[str, Any]) -> Any:
        return {"status": self._x.engine.cancel(self._order(given), self._x.now_ms).status}

    def _fill(self, given: dict[str, Any]) -> Any:
        order = self._order(given)
        qty = Decimal(str(given.get("qty", order.left)))
        return {"trade_id": self._x.engine.fill_by_hand(order, qty, self._x.now_ms).trade_id}

    def _move_money(self, given: dict[str, Any]) -> Any:
        account, asset = given.get("account", "main"), given["asset"]
        self._x.engine.books.deposit(account, asset, Decimal(str(given["amount"])))
        return {"free": plain(self._x.engine.books.free_of(account, asset))}

    def _instruments(self, _: dict[str, Any]) -> Any:
        every = self._x.engine.instruments.values()
        return [{"symbol": rules.symbol, **rules.as_json()} for rules in every]

    def _change_instrument(self, given: dict[str, Any]) -> Any:
        symbol = given["symbol"]
        wanted = {name: str(value) for name, value in given.items() if name != "symbol"}
        self._x.engine.settle(self._x.now_ms)
        rules = changed(self._x.engine.instruments[symbol], wanted)
        self._x.engine.instruments[symbol] = rules
        self._x.keep_now()
        return rules.as_json()

    def _change_key(self, given: dict[str, Any]) -> Any:
        name = given.get("key", self._x.config.key)
        if "secret" in given:
            account = given.get("account", "main")
            self._x.keys[name] = ApiKey(name, given["secret"], account, created_ms=self._x.now_ms)
        key = self._x.keys[name]
        for name in ("enabled", "reading", "trading", "withdrawals", "ip_restricted"):
            if name in given:
                setattr(key, name, bool(given[name]))
        return {"key": key.key, "account": key.account}

    def _ban(self, given: dict[str, Any]) -> Any:
        self._x.limits.ban(int(given["until_ms"]))
        return {}

    def _change_moods(self, given: dict[str, Any]) -> Any:
        views = self._x.engine.views
        views.moods = views.moods.changed(given)
        return views.moods.as_json()

    def _requests(self, _: dict[str, Any]) -> Any:
        return {"counts": dict(sorted(self._x.counts.items())), "log": list(self._x.log)}

    def _clear_requests(self, _: dict[str, Any]) -> Any:
        self._x.counts.clear()
        self._x.log.clear()
        return {}


def _reply(status: int, answer: Any) -> Reply:
    return Reply(status, json.dumps(answer).encode())
