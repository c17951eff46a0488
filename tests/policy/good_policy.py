"""A small good policy as text, for tests and proofs that break one line of it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

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


def write_files(place: Path, replaced: Mapping[str, str | bytes | None]) -> Path:
    """Writes the good files into the folder `place`, some of them replaced (None: left out)."""
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
