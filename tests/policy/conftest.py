"""A small good policy as text, for tests that break one line of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from trader.policy.sources import Source, find_sources

from .good_policy import write_files

WritePolicy = Callable[..., Path]
FindSources = Callable[..., list[Source]]


@pytest.fixture
def write_policy(tmp_path: Path) -> WritePolicy:
    """Writes the good files into `config/`, some of them replaced (None: left out)."""

    def write(folder: str = "config", **replaced: str | bytes | None) -> Path:
        return write_files(tmp_path / folder, replaced)

    return write


@pytest.fixture
def sources_of(tmp_path: Path, write_policy: WritePolicy) -> FindSources:
    """The sources of the good policy with some files replaced."""

    def find(env: Mapping[str, str] | None = None, **replaced: str | bytes | None) -> list[Source]:
        write_policy(**replaced)
        return find_sources([], cwd=tmp_path, env=env or {}, system=tmp_path / "etc")

    return find
