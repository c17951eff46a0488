"""A folder in which the installed command is run, and a local exchange beside it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trader.cli.demo_files import config_files
from trader.exchange.client import AdminClient

MINUTE_MS = 60_000
WARM = 425
STALE_CORE = "trader: compiled core is stale"
KEYS = {"TRADER_TESTNET_KEY": "local-key", "TRADER_TESTNET_SECRET": "local-secret"}


@dataclass
class Workspace:
    """Runs `trader` as a user would: another process, another folder, an empty environment."""

    folder: Path
    env: dict[str, str] = field(default_factory=dict[str, str])
    first_ms: int = 0
    admin: AdminClient | None = None

    def trader(self, *words: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """One command."""
        return self.python("-m", "trader", *words, stdin=stdin, **env)

    def python(self, *words: str, stdin: str = "", **env: str) -> subprocess.CompletedProcess[str]:
        """One run of the interpreter."""
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR") if name in os.environ}
        kept |= {k: v for k, v in os.environ.items() if k.startswith("COVERAGE")}
        base = {**kept, "HOME": str(self.folder), "COLUMNS": "80", "LANG": "C.UTF-8"}
        done = subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env={**base, **self.env, **env},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        # Said while somebody edits the core and has not built it again; no command's doing.
        lines = done.stderr.splitlines(keepends=True)
        done.stderr = "".join(line for line in lines if not line.startswith(STALE_CORE))
        return done

    def without(self, package: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One command where a package is not installed."""
        hidden = f"import sys\nsys.modules[{package!r}] = None\n"
        started = "from trader.cli.main import run\nsys.exit(run(sys.argv[1:]))\n"
        return self.python("-c", hidden + started, *words)

    def now(self, minute: int) -> str:
        """Ten seconds into the n-th minute after the warm bars, for `--now`."""
        return str(self.first_ms + minute * MINUTE_MS + 10_000)

    def write_config(self, base_url: str = "", symbols: tuple[str, ...] = ("BTC/USDT",)) -> None:
        """The demo's policy; paper mode when there is no exchange."""
        for name, text in config_files(base_url or '""', list(symbols)).items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            mode = "testnet" if base_url else "paper"
            path.write_text(text.replace("mode: testnet", f"mode: {mode}"), encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> None:
        """Change a text of the policy."""
        path = self.folder / "config" / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def tree(self) -> dict[str, bytes]:
        """Every file below the folder with its bytes."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
        }


def loads(done: subprocess.CompletedProcess[str]) -> Any:
    """What a `--json` command said."""
    return json.loads(done.stdout)
