"""Verdicts on strategy files, kept: a file is checked once, and refused for as long as it stays so.

Lives here: the key of a verdict, its file in the cache, and judging every file of a policy before a
cycle or a back-test. Must not live here: the check (`strategy_check`), which is imported only when
a verdict is missing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from trader.app.context import StrategySource
from trader.app.strategy_verdict import REQUIRED, Subject, Verdict, verdict_of
from trader.core.canonical import sha256_of
from trader.core.parameters import Parameters, StrategySpec
from trader.core.strategy import StrategyError, compile_strategy
from trader.errors import UsageError
from trader.policy.sealed_files import SEAL_ERRORS, drop_oldest, read_sealed, write_sealed
from trader.records import replace

VERSION = 1
CHEAT_HINT = "mend the file; `trader strategy check` looks again"
KEPT_MAX = 128
# A pass that meets new files spends about so long on each, and on all of them, before it begins.
EACH_S, ALL_S = 3.0, 12.0

# This process's own: a file is not read again for each cycle of one process.
_known: dict[str, Verdict] = {}


def subject_of(spec: StrategySpec, text: str, anchor_bars: int) -> Subject:
    """What is checked of a configured strategy; columns that rules give are not asked of it."""
    ruled = spec.program.get("outputs", {})
    required = tuple(name for name in REQUIRED if name not in ruled)
    return Subject(spec.name, text, spec.numbers, spec.timeframe_ms, anchor_bars, required)


def verdict_key(subject: Subject, code_sha: str) -> str:
    """Hash over everything that a verdict depends on; the strategy's name is not among it."""
    numbers = sorted((name, repr(value)) for name, value in (subject.numbers or {}).items())
    rows = [[name, value] for name, value in numbers]
    what = [subject.text, rows, subject.step_ms, subject.anchor_bars, list(subject.required)]
    return sha256_of([VERSION, code_sha, what])


def kept_verdict(subject: Subject, cache: Path, code_sha: str) -> Verdict | None:
    """The verdict of an earlier check, or None."""
    key = verdict_key(subject, code_sha)
    if key not in _known:
        with contextlib.suppress(*SEAL_ERRORS):
            _known[key] = verdict_of(read_sealed(_place(cache, key), key))
    return _known.get(key)


def keep_verdict(subject: Subject, verdict: Verdict, cache: Path, code_sha: str) -> None:
    """Keep it, but for what a calmer host would have answered otherwise. A cache that cannot be
    written costs time, not the run."""
    if verdict.code == "LOST":
        return
    key = verdict_key(subject, code_sha)
    _known[key] = verdict
    with contextlib.suppress(OSError):
        write_sealed(_place(cache, key), key, verdict.row())
        drop_oldest(cache, "strategy-*.json", KEPT_MAX, keep=_place(cache, key).name)


def _place(cache: Path, key: str) -> Path:
    return cache / f"strategy-{key}.json"


def judge(
    parameters: Parameters, sources: Sequence[StrategySource], cache: Path, code_sha: str
) -> dict[str, Verdict]:
    """By strategy name, the verdict on its file; checks those that have none yet, in a few
    seconds. A strategy of rules alone, or whose file cannot be loaded now, is not among them."""
    verdicts: dict[str, Verdict] = {}
    unknown: dict[str, Subject] = {}
    texts = {source.name: source.text for source in sources if source.sha and not source.trouble}
    for spec in parameters.strategies:
        if spec.name not in texts:
            continue
        subject = subject_of(spec, texts[spec.name], parameters.anchor_bars)
        found = kept_verdict(subject, cache, code_sha)
        if found is None:
            unknown[spec.name] = subject
        else:
            verdicts[spec.name] = found
    for name, subject in unknown.items():
        verdicts[name] = check_and_keep(subject, cache, code_sha, min(EACH_S, ALL_S / len(unknown)))
    return verdicts


def check_and_keep(subject: Subject, cache: Path, code_sha: str, budget_s: float) -> Verdict:
    """A check now, whatever is known; the verdict is kept."""
    from trader.app.strategy_check import check_strategy

    verdict = check_strategy(subject, budget_s)
    keep_verdict(subject, verdict, cache, code_sha)
    return verdict


def without_refused(
    parameters: Parameters, sources: Sequence[StrategySource], verdicts: Mapping[str, Verdict]
) -> tuple[tuple[StrategySource, ...], tuple[str, ...]]:
    """The sources, those that a check refuses in trouble; and a sentence about each that could
    open something."""
    enabled = {spec.name: spec.enabled for spec in parameters.strategies}
    judged: list[StrategySource] = []
    told: list[str] = []
    for source in sources:
        verdict = verdicts.get(source.name)
        if verdict is None or not verdict.refused:
            judged.append(source)
            if source.trouble and enabled[source.name]:
                told += _no_python(source)
            continue
        trouble = f"STRATEGY_FAILED why=refused found={verdict.code}"
        judged.append(replace(source, trouble=trouble))
        if enabled[source.name]:
            told.append(refusal(source.name, verdict))
    return tuple(judged), tuple(told)


def _no_python(source: StrategySource) -> list[str]:
    """A sentence about a file that is no Python at all: what is unreadable ends a pass like a
    cheat. One that fails while it runs is only off."""
    try:
        compile_strategy(source.name, source.text)
    except StrategyError as error:
        return [str(error)]
    return []


def refuse_cheats(
    parameters: Parameters, sources: Sequence[StrategySource], cache: Path, code_sha: str
) -> dict[str, Verdict]:
    """The verdicts of `judge`; raises UsageError that names every file that a check refuses."""
    verdicts = judge(parameters, sources, cache, code_sha)
    told = [refusal(name, verdict) for name, verdict in verdicts.items() if verdict.refused]
    if told:
        raise UsageError("; ".join(told), CHEAT_HINT)
    return verdicts


def refusal(name: str, verdict: Verdict) -> str:
    """A sentence: what is refused, why, and where it shows."""
    where = f" ({verdict.market} bars)" if verdict.market else ""
    return f"strategy {name} is refused: {verdict.code}: {verdict.said}{where}"
