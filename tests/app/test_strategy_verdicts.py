"""Verdicts and facts of strategy files in the cache: believed only when they are of this file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from trader.app import strategy_verdicts
from trader.app.strategy_facts import KeptFacts
from trader.app.strategy_verdict import Subject, Verdict
from trader.app.strategy_verdicts import (
    check_and_keep,
    keep_verdict,
    kept_verdict,
    refusal,
    verdict_key,
)

from .strategy_files import HOUR_MS, strategy

SUBJECT = Subject("one", strategy(), {"n": 4, "share": 0.5}, HOUR_MS, 128)
CHEAT = Verdict("LOOKS_AHEAD", "it does", "trend", 5, "enter", "yes", "no", 4, 10, ("a note",))


@pytest.fixture(autouse=True)
def _another_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What this process knows besides the cache is forgotten."""
    monkeypatch.setattr(strategy_verdicts, "_known", {})


def forget() -> None:
    strategy_verdicts._known.clear()  # pyright: ignore[reportPrivateUsage] - as a new process would


def test_a_verdict_is_kept_for_the_next_process(tmp_path: Path) -> None:
    keep_verdict(SUBJECT, CHEAT, tmp_path / "cache", "code")
    forget()
    assert kept_verdict(SUBJECT, tmp_path / "cache", "code") == CHEAT


@pytest.mark.parametrize(
    "other",
    [
        replace(SUBJECT, text=strategy("pass")),
        replace(SUBJECT, numbers={"n": 5, "share": 0.5}),
        replace(SUBJECT, numbers={"n": 4.0, "share": 0.5}),
        replace(SUBJECT, step_ms=60_000),
        replace(SUBJECT, anchor_bars=64),
        replace(SUBJECT, required=("enter",)),
    ],
)
def test_a_verdict_is_of_one_text_its_numbers_and_its_bars(other: Subject, tmp_path: Path) -> None:
    keep_verdict(SUBJECT, CHEAT, tmp_path, "code")
    assert kept_verdict(other, tmp_path, "code") is None
    assert kept_verdict(SUBJECT, tmp_path, "other code") is None


def test_a_verdict_is_not_of_a_name(tmp_path: Path) -> None:
    keep_verdict(SUBJECT, CHEAT, tmp_path, "code")
    assert kept_verdict(replace(SUBJECT, name="two"), tmp_path, "code") == CHEAT


def test_a_file_of_the_cache_that_was_touched_is_not_believed(tmp_path: Path) -> None:
    keep_verdict(SUBJECT, CHEAT, tmp_path, "code")
    path = tmp_path / f"strategy-{verdict_key(SUBJECT, 'code')}.json"
    written = path.read_bytes()
    for altered in (written.replace(b"LOOKS_AHEAD", b""), written[:-10], b"", b"[]"):
        path.write_bytes(altered)
        forget()
        assert kept_verdict(SUBJECT, tmp_path, "code") is None
    path.write_bytes(written)
    path.chmod(0o666)
    forget()
    assert kept_verdict(SUBJECT, tmp_path, "code") is None


def test_what_a_calmer_host_would_answer_is_asked_again(tmp_path: Path) -> None:
    keep_verdict(SUBJECT, Verdict("LOST", "out of time"), tmp_path, "code")
    assert kept_verdict(SUBJECT, tmp_path, "code") is None


def test_a_cache_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file stands where the folder should be")
    verdict = check_and_keep(SUBJECT, tmp_path / "cache", "code", 5.0)
    assert verdict.passed
    assert kept_verdict(SUBJECT, tmp_path / "cache", "code") == verdict


def test_a_refusal_names_the_strategy_the_code_and_the_bars() -> None:
    assert refusal("one", CHEAT) == "strategy one is refused: LOOKS_AHEAD: it does (trend bars)"


def test_facts_of_a_file_come_back_as_the_numbers_they_were(tmp_path: Path) -> None:
    parameters = {"n": 4, "share": 0.1, "wide": 1e-7, "whole": 3.0}
    KeptFacts(tmp_path, "code").keep("text", parameters, {"[]": 12})
    found = KeptFacts(tmp_path, "code").of("text")
    assert found is not None
    assert found == (parameters, {"[]": 12})
    assert [type(value) for value in found[0].values()] == [int, float, float, float]
    assert KeptFacts(tmp_path, "code").of("other text") is None
    assert KeptFacts(tmp_path, "other code").of("text") is None
