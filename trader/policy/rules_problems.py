"""What is wrong with a rule, and where: one value per problem, with the line and a caret under it.

Lives here: the problem of a rule, the exception that carries one out of a sub-expression, how the
place is drawn. Must not live here: the checks; files and lines of YAML (the caller knows those).
"""

from __future__ import annotations

import re

from trader.policy.problems import Code, looks_like_credential
from trader.records import dataclass

EXCERPT_WIDTH_MAX = 72
_WORD = re.compile(r"[A-Za-z0-9+/=_-]+")
_CUT = "..."


@dataclass(frozen=True, slots=True)
class RuleProblem:
    """One thing to correct in a rule, or to look at (a warning).

    Attributes:
        output: whose text it is: `enter`, `stop`, a regime's state, a trigger's name.
        line, column: within that text, from 1.
        code: a `RULE_...` code; message: a sentence; hint: what to write instead, or "".
        excerpt: the line of the text and a caret under the column; "" when it may hold a secret.
        trigger: the trigger of signals.yaml inside which it arose, or "": then the place is that
            of the trigger's use, and the trigger's own check reports the place inside.
    """

    output: str
    line: int
    column: int
    code: Code
    message: str
    hint: str
    excerpt: str
    trigger: str = ""

    def __str__(self) -> str:
        """As a compiler shows it: place, sentence, line, caret, hint."""
        lines = [f"{self.output}:{self.line}:{self.column}: {self.message}"]
        lines += [f"    {line}" for line in self.excerpt.splitlines()]
        if self.hint:
            lines.append(f"    {self.hint}")
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a rule's text: offsets from 0, the end not included."""

    at: int
    end: int


class Refused(Exception):
    """A sub-expression that cannot be used: the problem without its text.

    `trigger` names the trigger inside which it arose; `span` is then the trigger's use. `way` are
    the triggers from there to where it arose; of a cycle: those that need each other.
    """

    def __init__(
        self, code: Code, span: Span, message: str, hint: str = "", *, way: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.way: tuple[str, ...] = way
        self.code = code
        self.span = span
        self.message = message
        self.hint = hint
        self.trigger = ""

    def inside(self, trigger: str, span: Span) -> Refused:
        """The same problem where the trigger is used; a cycle already names its way."""
        around = self.code is Code.RULE_CYCLE
        way: tuple[str, ...] = self.way if around else (trigger, *self.way)
        outer = Refused(self.code, span, self.message, self.hint, way=way)
        outer.trigger = trigger
        return outer

    @property
    def sentence(self) -> str:
        """The message, with the triggers on the way to it."""
        if self.code is Code.RULE_CYCLE or not self.way:
            return self.message
        first, *others = self.way
        through = f", through {others[-1]}" if others else ""
        return f"trigger {first}{through}: {self.message}"


def problem_at(output: str, text: str, refusal: Refused) -> RuleProblem:
    """The refusal with its place in `text`."""
    line, column = line_and_column(text, refusal.span.at)
    return RuleProblem(
        output,
        line,
        column,
        refusal.code,
        refusal.sentence,
        refusal.hint,
        excerpt(text, refusal.span),
        refusal.trigger,
    )


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Both from 1, of the offset `at`."""
    start = text.rfind("\n", 0, at) + 1
    return text.count("\n", 0, at) + 1, at - start + 1


def excerpt(text: str, span: Span) -> str:
    """The line that holds the span's start, and carets under the span; at most 72 wide."""
    if any(looks_like_credential(word) for word in _WORD.findall(text[:10_000])):
        return ""
    start = text.rfind("\n", 0, span.at) + 1
    found = text.find("\n", start)
    stop = len(text) if found < 0 else found
    column = span.at - start
    line = "".join(c if " " <= c < "\x7f" else "?" if c > "\x7f" else " " for c in text[start:stop])
    low = 0
    if len(line) > EXCERPT_WIDTH_MAX:
        room = EXCERPT_WIDTH_MAX - 2 * len(_CUT)
        low = max(0, min(column - room // 2, len(line) - room))
        before, after = (_CUT if low else ""), (_CUT if low + room < len(line) else "")
        line = before + line[low : low + room] + after
        low -= len(before)
    column -= low
    width = max(1, min(span.end - span.at, len(line) - column))
    return f"{line.rstrip()}\n{' ' * column}{'^' * width}"
