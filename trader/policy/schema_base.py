"""What the models of all five files have in common: the section, and kinds with a name.

Lives here: shared types of keys. Must not live here: keys.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from trader.domain.pairs import is_pattern
from trader.policy.fields import Amount, Name, Number, Pair, Timeframe
from trader.policy.problems import Code
from trader.policy.quantities import BadText

WORD = "[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
WORD_SAY = "a name in lower case (letters, digits, single underscores)"

Step = Annotated[str, Timeframe()]
Cash = Annotated[str, Amount("0", "1000000000000")]
ShortName = Annotated[str, Name("(?=.{1,32}$)" + WORD, WORD_SAY)]
PAIRS_MAX = 500
PATTERNS_MAX = 50


def _few_patterns(pairs: list[str]) -> list[str]:
    """Refuses more wildcards in one list than anybody has."""
    count = sum(map(is_pattern, pairs))
    if count > PATTERNS_MAX:
        raise BadText(Code.TOO_LARGE, f"{count} wildcards in one list; at most {PATTERNS_MAX}")
    return pairs


PairList = Annotated[list[Annotated[str, Pair()]], Field(max_length=PAIRS_MAX)]
PatternList = Annotated[
    list[Annotated[str, Pair(pattern=True)]],
    Field(max_length=PAIRS_MAX),
    AfterValidator(_few_patterns),
]
Parameters = dict[ShortName, Annotated[str | int, Number()]]


class Section(BaseModel):
    """What every part of the schema has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
