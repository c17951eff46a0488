"""How late a signed request may arrive is the policy's to say."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qsl

from trader.venues.ccxt_venue import CcxtVenue

from .scripted import Asked, Say, Scripted


def test_a_signed_request_carries_the_window_of_the_policy(
    serve: Callable[[Callable[[Asked], Say]], Scripted], open_venue: Callable[..., CcxtVenue]
) -> None:
    windows: list[str] = []

    def answer(asked: Asked) -> Say:
        windows.extend(value for key, value in parse_qsl(asked.query) if key == "recvWindow")
        return Say(200, '{"balances": []}')

    server = serve(answer)
    open_venue(server.base_url).fetch_balances()
    open_venue(server.base_url, recv_window_ms=1_234).fetch_balances()
    assert windows == ["5000", "1234"]
