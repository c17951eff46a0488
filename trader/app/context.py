"""What every use case of the pass is given: policy, identity, clock and the small ports.

Lives here: the frozen bundle that wiring builds. Must not live here: how any of it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from trader.core.parameters import Parameters, StrategyCode
from trader.core.snapshot import Running
from trader.records import dataclass


class Clock(Protocol):
    """The only source of time."""

    def now_ms(self) -> int:
        """UTC epoch milliseconds."""
        ...


@dataclass(frozen=True, slots=True)
class StrategySource:
    """A strategy's file as it was read ("" for one of rules alone), and what it decides with.

    `trouble`: why its code cannot be asked now, as `STRATEGY_FAILED why=...`, else "".
    """

    name: str
    text: str
    sha: str
    code: StrategyCode
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class PassSetup:
    """One account's pass.

    Attributes:
        parameters: what the policy means; form: its checked form; policy_sha, source_sha: hashes
            of that form and of the files.
        code_sha, lock_sha: of the running program and of its locked requirements.
        grace_ms: how long after sending an order must be looked for before it may be absent.
        settle_ms: how long after a bar's close its last changes are waited for.
        reads_s: seconds that one round of reads may take.
        latch_level: reads the halt level of the latch (`running` when it is not set).
        stopping: whether a signal asked this process to end.
        sleep: waits seconds.
        status_path: where status.json goes.
        refused: sentences about strategy files that a check refuses; without a position to look
            after, no pass begins.
        skew_ms_max: distance between this clock and the venue's at which nothing is decided; 0
            when time travels, because a server may keep its own.
    """

    parameters: Parameters
    form: Mapping[str, Any]
    policy_sha: str
    source_sha: str
    strategies: tuple[StrategySource, ...]
    code_sha: str
    lock_sha: str
    clock: Clock
    grace_ms: int
    settle_ms: int
    reads_s: float
    latch_level: Callable[[], str]
    stopping: Callable[[], bool]
    sleep: Callable[[float], None]
    status_path: Path
    skew_ms_max: int = 0
    refused: tuple[str, ...] = ()

    @property
    def running(self) -> Running:
        """Hashes of what decides in this pass."""
        return Running(self.policy_sha, self.code_sha, self.lock_sha)

    @property
    def strategy_troubles(self) -> dict[str, str]:
        """By strategy name, why its code is not asked in this pass."""
        return {source.name: source.trouble for source in self.strategies if source.trouble}

    @property
    def codes(self) -> dict[str, StrategyCode]:
        """Strategy code by strategy name."""
        return {source.name: source.code for source in self.strategies}
