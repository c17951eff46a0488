"""Fixtures of the whole cycles: exchanges and worlds that end with the test, or with its module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from trader.exchange.server import serve_in_thread

from .trail_world import TrailWorld, make_world
from .world import World, exchange_config, write_bars, write_config


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes a world: `closes`, `holes`, `minutes` of its bars, `served` options of the exchange,
    everything else for the configuration."""
    with ExitStack() as stack:

        def make(
            symbols: tuple[str, ...] = ("BTC/USDT",),
            served: dict[str, Any] | None = None,
            env: dict[str, str] | None = None,
            closes: dict[int, str] | None = None,
            holes: tuple[int, ...] = (),
            minutes: int = 60,
            **config: str,
        ) -> World:
            bars = [
                write_bars(
                    tmp_path,
                    symbol.replace("/", ""),
                    minutes=minutes,
                    closes=closes,
                    holes=holes,
                )
                for symbol in symbols
            ]
            write_config(tmp_path, symbols, **config)
            running = stack.enter_context(serve_in_thread(exchange_config(*bars, **served or {})))
            return World(tmp_path, running, **env or {})

        yield make


@pytest.fixture
def world(worlds: Callable[..., World]) -> World:
    """A world with one instrument that stands at 100."""
    return worlds()


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> TrailWorld:
    """An hour of cycles with entries, exits, a stop, and an exit of two attempts: to be read."""
    world = make_world(tmp_path_factory.mktemp("lived"))
    world.run(60)
    return world


@pytest.fixture
def fresh(tmp_path: Path) -> TrailWorld:
    """An account that has not begun."""
    return make_world(tmp_path)
