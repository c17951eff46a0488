"""What the tests of the venues share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from trader.venues.ccxt_venue import CcxtConfig, CcxtVenue

from .scripted import Asked, Say, Scripted, scripted

NOW_MS = 1_700_006_400_000


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Asked], Say]], Scripted]]:
    """Serves scripted answers until the test ends."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(scripted(answer))


@pytest.fixture
def open_venue() -> Iterator[Callable[..., CcxtVenue]]:
    """Opens venues in testnet mode against an address; none of them sleeps."""
    with ExitStack() as stack:

        def make(base_url: str, *, clock: Callable[[], int] = lambda: NOW_MS, **more: Any) -> Any:
            options: dict[str, Any] = {"api_key": "test-key", "secret": "test-secret", **more}
            config = CcxtConfig("binance", "testnet", base_url, **options)
            venue = CcxtVenue(config, clock, sleep=lambda _: None)
            stack.callback(venue.close)
            return venue

        yield make
