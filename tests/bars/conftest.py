"""Fixtures for bar files: written by the test, or real ones where they lie beside the checkout."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "real"
WriteBars = Callable[..., Path]


@pytest.fixture
def real() -> Path:
    """The folder of real market data; tests that use it are skipped where it is absent."""
    if not REAL.is_dir():
        pytest.skip("real market data is not at ../shared/data/real")
    return REAL


@pytest.fixture
def bar_file(tmp_path: Path) -> WriteBars:
    """Write text or bytes as a bar file (compressed when its name ends in .gz)."""

    def write(content: str | bytes, name: str = "BTC_USDT-1m.csv") -> Path:
        raw = content.encode() if isinstance(content, str) else content
        path = tmp_path / name
        path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
        return path

    return write
