"""What the models of all five files have in common: the section, and kinds with a name.

Lives here: shared types of keys. Must not live here: keys.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict

from trader.policy.fields import Amount, Name, Number, Pair, Timeframe

WORD = "[a-z][a-z0-9]*(?:_[a-z0-9]+)*"
WORD_SAY = "a name in lower case (letters, digits, single underscores)"

Step = Annotated[str, Timeframe()]
Cash = Annotated[str, Amount("0", "1000000000000")]
ShortName = Annotated[str, Name("(?=.{1,32}$)" + WORD, WORD_SAY)]
PairList = list[Annotated[str, Pair()]]
PatternList = list[Annotated[str, Pair(pattern=True)]]
Parameters = dict[ShortName, Annotated[str | int, Number()]]


class Section(BaseModel):
    """What every part of the schema has in common."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)
