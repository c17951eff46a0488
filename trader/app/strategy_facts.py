"""What strategy files declare, kept: PARAMETERS and warm-ups of a text, by its hash.

Lives here: the file of the cache, so that a cold pass knows its windows before the processes of its
strategies have loaded. Must not live here: asking a strategy.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trader.app.strategy_wire import numbers_of
from trader.core.canonical import sha256_of
from trader.policy.sealed_files import SEAL_ERRORS, drop_oldest, read_sealed, write_sealed

VERSION = 1
KEPT_MAX = 64
Facts = tuple[dict[str, float | int], dict[str, int]]


class KeptFacts:
    """The facts of one cache folder, under one version of the program."""

    def __init__(self, cache: Path, code_sha: str) -> None:
        """`cache` need not exist."""
        self.cache = cache
        self.code_sha = code_sha
        self._read: dict[str, Facts] = {}

    def of(self, text: str) -> Facts | None:
        """(PARAMETERS, warm-ups by their numbers) of a file's text, or None."""
        key = self._key(text)
        if key not in self._read:
            try:
                self._read[key] = _facts_of(read_sealed(self._place(key), key))
            except SEAL_ERRORS:
                return None
        return self._read[key]

    def keep(self, text: str, parameters: Mapping[str, float | int], warmups: Any) -> None:
        """Keep what is new. A cache that cannot be written costs time, not the run."""
        key = self._key(text)
        facts: Facts = (dict(parameters), dict(warmups))
        if self._read.get(key) == facts:
            return
        self._read[key] = facts
        # Numbers as text: the canonical form knows no floats.
        body = [{name: json.dumps(value) for name, value in parameters.items()}, facts[1]]
        with contextlib.suppress(OSError):
            write_sealed(self._place(key), key, body)
            drop_oldest(self.cache, "facts-*.json", KEPT_MAX, keep=self._place(key).name)

    def _key(self, text: str) -> str:
        return sha256_of([VERSION, self.code_sha, text])

    def _place(self, key: str) -> Path:
        return self.cache / f"facts-{key}.json"


def _facts_of(body: Any) -> Facts:
    parameters, warmups = body
    numbers = numbers_of({str(name): json.loads(text) for name, text in parameters.items()})
    return numbers, {str(key): int(bars) for key, bars in warmups.items()}
