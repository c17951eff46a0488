"""What the benchmarks share: a workspace with made bars, a served exchange, timing of processes.

Lives here: set-up and clocks of benchmarks. Must not live here: what is claimed.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trader.exchange.made_bars import MadeInstrument, write_made_bars

ROOT = Path(__file__).resolve().parents[2]
KEY, SECRET = "local-key", "local-secret"
MINUTE_MS = 60_000
COINS = (
    "BTC", "ETH", "SOL", "XRP", "LTC", "LINK", "ADA", "DOT", "AVAX", "ATOM",
    "UNI", "FIL", "XLM", "TRX", "ETC", "BCH", "EOS", "NEO", "ZEC", "DASH",
)  # fmt: skip

STRATEGIES = """\
ma_cross:
  timeframe: {timeframe}
  size:
    equity_share: 4%
"""


@dataclass(frozen=True)
class Stage:
    """A workspace: `now(i)` is ten seconds into the i-th minute after the warm bars."""

    folder: Path
    first_ms: int

    def now(self, minute: int) -> str:
        """Epoch ms as `--now` takes it."""
        return str(self.first_ms + minute * MINUTE_MS + 10_000)

    @property
    def options(self) -> list[str]:
        """What every command is given."""
        return ["-c", str(self.folder / "config"), "--state-dir", str(self.folder / "state")]


@contextmanager
def staged(folder: Path, minutes: int, warm: int, timeframe: str) -> Generator[Stage]:
    """Twenty instruments of made bars, the repository's strategy on all of them, an exchange in a
    process of its own."""
    instruments = tuple(
        MadeInstrument(f"{coin}USDT", 1_000_000 // rank, 2, 1_000)
        for rank, coin in enumerate(COINS, 1)
    )
    bars = write_made_bars(folder / "bars", minutes=minutes, instruments=instruments)
    command = [
        sys.executable, "-m", "trader", "exchange", "serve", "--warm-bars", str(warm),
        "--key", KEY, "--secret", SECRET, "--clock", "manual",
        "--bars", *map(str, bars),
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            ready = json.loads(server.stdout.readline())
            _write_config(folder, ready["url"], timeframe)
            os.environ.update({"TRADER_TESTNET_KEY": KEY, "TRADER_TESTNET_SECRET": SECRET})
            yield Stage(folder, ready["now_ms"])
        finally:
            server.terminate()


LIMITS = """\
limits:
  position: 5%
  positions_max: 20
  exposure_max: 100%
  loss_max: 50%
  day_stop: 60%
  rolling_loss: 60%
  var:
    limit: 90%
  correlated:
    exposure_max: 99%
  drawdown_max: 70%
  trades_per_hour_max: 1000
  trades_per_day_max: 1000
"""


def _write_config(folder: Path, url: str, timeframe: str) -> None:
    config = folder / "config"
    (config / "strategies").mkdir(parents=True)
    source = ROOT / "config" / "strategies" / "ma_cross.py"
    (config / "strategies" / "ma_cross.py").write_bytes(source.read_bytes())
    universe = "".join(f"      - {coin}/USDT\n" for coin in COINS)
    texts = {
        "app": f"account: bench\nmode: testnet\nexchange:\n  base_url: {url}\n",
        "policy": LIMITS,
        "universe": f"tiers:\n  core:\n    pairs:\n{universe}",
        "signals": "defaults:\n  ttl_bars: 1\n",
        "strategies": STRATEGIES.format(timeframe=timeframe),
    }
    for name, text in texts.items():
        (config / f"{name}.yaml").write_text(text, encoding="utf-8")


def timed(command: list[str]) -> tuple[float, int, int]:
    """(wall seconds, peak RSS in kB, exit code) of one process."""
    began = time.perf_counter()
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
    return took, usage.ru_maxrss, process.returncode


def folder_bytes(folder: Path) -> int:
    """Bytes of every file below a folder, as the files say."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
