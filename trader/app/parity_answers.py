"""What strategies answer, remembered: one decision bar is decided several times in a row.

Lives here: strategy code that asks a file's process once for one window and remembers its newest
answers. A strategy's answer depends on its window and its numbers alone (a file for which that does
not hold is refused before it runs). Must not live here: what is asked, and processes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from trader.app.strategy_wire import bars_bytes
from trader.core.parameters import Columns, StrategyCode
from trader.records import dataclass, field, replace

# A bar asks for a window of each instrument, with and without bars that were told anew.
REMEMBERED_MAX = 64
Key = tuple[bytes, str]


@dataclass(slots=True)
class _Asked:
    """One strategy's newest answers, the oldest first."""

    code: StrategyCode
    answers: dict[Key, Columns] = field(default_factory=dict[Key, Columns])

    def signals(self, bars: Any, numbers: Mapping[str, float | int]) -> Columns:
        """As the code's; what it raises is not remembered."""
        key = (bars_bytes(bars), repr(sorted(numbers.items())))
        if key not in self.answers:
            self.answers[key] = self.code.signals(bars, numbers)
            while len(self.answers) > REMEMBERED_MAX:
                del self.answers[next(iter(self.answers))]
        return self.answers[key]


class Remembering:
    """The strategies of the policy in force, asked no more often than there are windows."""

    def __init__(self) -> None:
        """No policy yet."""
        self._given: Mapping[str, StrategyCode] = {}
        self._codes: dict[str, StrategyCode] = {}

    def of(self, codes: Mapping[str, StrategyCode]) -> Mapping[str, StrategyCode]:
        """The same code, remembering."""
        if codes is not self._given:
            self._given = codes
            self._codes = {
                name: replace(code, signals=_Asked(code).signals) for name, code in codes.items()
            }
        return self._codes
