"""A small good policy as text, for tests that break one line of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from trader.policy.sources import Source, find_sources

GOOD = {
    "app": "account: demo\nmode: paper\nquote: USDT\ntimeframe: 1m\n",
    "policy": "limits:\n  slippage: 10bps\n  exit_slippage: 50bps\n  collar: 3%\n",
    "universe": "tiers:\n  core:\n    pairs:\n      - BTC/USDT\n      - ETH/USDT\n",
    "signals": "defaults:\n  ttl_bars: 2\n",
    "strategies": "cross:\n  timeframe: 1h\n  parameters:\n    fast: 20\n",
}

PYTHON = '''"""A strategy."""
PARAMETERS = {"fast": 20, "stop": 1.5}
def warmup(p): return p["fast"]
def signals(bars, p): return {"enter": [], "exit": [], "stop": []}
'''

WritePolicy = Callable[..., Path]
FindSources = Callable[..., list[Source]]


@pytest.fixture
def write_policy(tmp_path: Path) -> WritePolicy:
    """Writes the good files into `config/`, some of them replaced (None: left out)."""

    def write(folder: str = "config", **replaced: str | bytes | None) -> Path:
        place = tmp_path / folder
        (place / "strategies").mkdir(parents=True, exist_ok=True)
        place.chmod(0o755)
        (place / "strategies").chmod(0o755)
        (place / "strategies" / "cross.py").write_text(PYTHON)
        (place / "strategies" / "cross.py").chmod(0o644)
        for section, text in {**GOOD, **replaced}.items():
            if text is not None:
                data = text if isinstance(text, bytes) else text.encode()
                (place / f"{section}.yaml").write_bytes(data)
        return place

    return write


@pytest.fixture
def sources_of(tmp_path: Path, write_policy: WritePolicy) -> FindSources:
    """The sources of the good policy with some files replaced."""

    def find(env: Mapping[str, str] | None = None, **replaced: str | bytes | None) -> list[Source]:
        write_policy(**replaced)
        return find_sources([], cwd=tmp_path, env=env or {}, system=tmp_path / "etc")

    return find
