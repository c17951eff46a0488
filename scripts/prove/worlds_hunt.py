"""Hunting broken gates: each runs in a process of its own, until the worlds notice it.

Lives here: the import that puts one mistake into the interpreted core, and the processes. Must not
live here: the mistakes (`worlds_broken`) and what notices them (`worlds_oracle`).
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

from worlds_broken import BROKEN, Broken

CORE = Path(__file__).resolve().parents[2] / "trader" / "core"


class PatchedLoader(SourceFileLoader):
    """Runs a module's source with one mistake in it; nothing is cached on disk."""

    def __init__(self, fullname: str, path: str, text: str) -> None:
        """Of the one module that the mistake is in."""
        super().__init__(fullname, path)
        self.text = text

    def get_code(self, fullname: str) -> CodeType:
        """The changed source, compiled."""
        del fullname
        return compile(self.text, self.path, "exec", dont_inherit=True)


class PatchedFinder:
    """Finds the one module that is broken before anybody else does."""

    def __init__(self, place: Path, text: str) -> None:
        """To be put in front of the import system before the core is imported."""
        self.place = place
        self.text = text

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The broken module's spec, None for every other."""
        del path, target
        if fullname != f"trader.core.{self.place.stem}":
            return None
        loader = PatchedLoader(fullname, str(self.place), self.text)
        return spec_from_file_location(fullname, str(self.place), loader=loader)


def patched(broken: Broken) -> tuple[Path, str]:
    """The module's file and its source with the mistake; ValueError when it has no place in the
    core (any more)."""
    places = sorted(CORE.glob(f"{broken.module or '*'}.py"))
    texts = {place: place.read_text(encoding="utf-8") for place in places}
    times = sum(text.count(broken.old) for text in texts.values())
    if times != 1:
        where = broken.module or "the core"
        raise ValueError(f"{broken.name}: its line stands {times} times in {where}: {broken.old!r}")
    place = next(place for place, text in texts.items() if broken.old in text)
    return place, texts[place].replace(broken.old, broken.new)


def break_core(name: str) -> None:
    """Break the core that this process is about to import."""
    broken = next(one for one in BROKEN if one.name == name)
    finder = PatchedFinder(*patched(broken))
    importlib.import_module("trader")  # its own finder comes first, then ours before it
    sys.meta_path.insert(0, finder)


class Caught(NamedTuple):
    """What came of one broken gate: after how many worlds it was caught (0: never, -1: the time was
    up), and by what."""

    name: str
    worlds: int
    breach: str


def hunt(broken: Sequence[Broken], seed: int, worlds: int, seconds: float = 10**9) -> list[Caught]:
    """Each in a process of its own, as many at a time as there are cores."""
    until = time.monotonic() + seconds
    waiting, running = list(broken), dict[str, subprocess.Popen[str]]()
    found: list[Caught] = []
    workers = len(os.sched_getaffinity(0))
    while waiting or running:
        late = time.monotonic() > until
        while waiting and len(running) < workers and not late:
            one = waiting.pop(0)
            running[one.name] = _start(one, seed, worlds)
        for name, process in list(running.items()):
            if process.poll() is not None:
                found.append(_read(name, process))
                del running[name]
            elif late:
                process.kill()
                process.communicate()
                found.append(Caught(name, -1, "the time was up"))
                del running[name]
        if late:
            found += [Caught(one.name, -1, "the time was up") for one in waiting]
            waiting.clear()
        time.sleep(0.02)
    return found


def _start(broken: Broken, seed: int, worlds: int) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).with_name("worlds.py"))]
    command += ["--broken", broken.name, "--seed", str(seed), "--worlds", str(worlds)]
    env = {**os.environ, "TRADER_INTERPRETED": "1"}
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)


def _read(name: str, process: subprocess.Popen[str]) -> Caught:
    out, _ = process.communicate()
    lines = out.splitlines()
    if process.returncode != 0 or not lines:
        return Caught(name, 0, f"the process ended with {process.returncode}")
    told = json.loads(lines[-1])
    return Caught(name, int(told["worlds"]), str(told["breach"]))
