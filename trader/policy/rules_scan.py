"""The words of a rule and their order: what a rule cannot be is refused here, word by word.

Lives here: characters, numbers, texts, signs, brackets, and which word may follow which, so that
every refusal is a sentence of ours at its column, the same on every Python. Must not live here: the
tree (Python's own parser builds it), names and types.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterator

from trader.policy.problems import Code, shown
from trader.policy.quantities import BadText, parse_decimal
from trader.policy.rules_problems import Refused, Span
from trader.records import dataclass

LENGTH_MAX = 2_000
BRACKETS_MAX = 32
PREFIXES_MAX = 8
NUMBER_MAX = 10**12
DIGITS_MAX = 18
_TOKEN = re.compile(
    r"(?P<space>[ \t\r\n]+)"
    r"|(?P<number>\.?[0-9][0-9A-Za-z_.]*)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<text>\"[^\"\\\n]*\"|'[^'\\\n]*')"
    r"|(?P<sign>\*\*|//|<<|>>|==|!=|<=|>=|<>|&&|\|\||:=|->|=>|.)",
    re.DOTALL,
)
_OPEN = {"(": ")", "[": "]"}
_BINARY = frozenset({"+", "-", "*", "/", "<", "<=", ">", ">=", "==", "!="})
_GRAMMAR = _BINARY | frozenset("()[],.=")
_CONDITIONS = "conditions are joined by and, or, not"
# Signs of other languages -> what to write.
_OTHER_SIGNS = {
    "**": "write x * x",
    "//": "write x / y",
    "%": "a share of the price is written 0.05 * close",
    "@": "",
    "<>": "write !=",
    "&&": _CONDITIONS,
    "&": _CONDITIONS,
    "||": _CONDITIONS,
    "|": _CONDITIONS,
    "^": "write x * x for a square",
    "~": _CONDITIONS,
    "!": _CONDITIONS,
    "<<": "crosses_below(a, b) is a crossing",
    ">>": "crosses_above(a, b) is a crossing",
    "?": "write (condition and a > b) or (not condition and a > c)",
    ":=": "a rule is one expression; a named part is a trigger of signals.yaml",
    "->": "",
    "=>": "at least is written >=",
    ";": "a rule is one expression",
    "$": "a parameter is written by its name alone",
    "\\": "a rule may go on in the next line by itself",
    "`": "",
}
_WORDS = {
    "if": "write (condition and a > b) or (not condition and a > c)",
    "else": "write (condition and a > b) or (not condition and a > c)",
    "is": "equal is written ==",
    "in": "write a == 1 or a == 2",
    "True": "write the condition itself",
    "False": "write not condition",
    "None": "a value that is not ready needs no test: the condition is then not ready too",
    "for": "any(condition, 5) and all(condition, 5) look at the last 5 bars",
    "lambda": "a named part is a trigger of signals.yaml",
}
# Words of everyday language behind a value.
_PHRASES = {
    "crosses": "write crosses_above(a, b)",
    "cross": "write crosses_above(a, b)",
    "crossed": "write crosses_above(a, b)",
    "above": "write a > b",
    "over": "write a > b",
    "below": "write a < b",
    "under": "write a < b",
    "equals": "write a == b",
    "rises": "write rising(a)",
    "falls": "write falling(a)",
}


@dataclass(frozen=True, slots=True)
class Token:
    """A word of a rule; `kind` is number, name, text, sign or end."""

    kind: str
    word: str
    span: Span


@dataclass(slots=True)
class _Bracket:
    """An open bracket; `named`: the argument at hand has a name, `names`: some argument had one."""

    token: Token
    call: bool
    named: bool = False
    names: bool = False


def scan(text: str) -> None:
    """Passes when `text` can be given to Python's parser; raises Refused."""
    if len(text) > LENGTH_MAX:
        say = f"is {len(text)} characters long; at most {LENGTH_MAX}"
        hint = "put parts of it into triggers of signals.yaml"
        raise Refused(Code.RULE_TOO_LARGE, Span(LENGTH_MAX, LENGTH_MAX + 1), say, hint)
    if not text.strip():
        raise Refused(Code.RULE_EMPTY, Span(0, 1), "says nothing", "such as rsi(14) < 30")
    order = _Order()
    for token in _tokens(text):
        order.take(token)
    end = len(text.rstrip())
    order.take(Token("end", "", Span(max(0, end - 1), end)))


def _tokens(text: str) -> Iterator[Token]:
    for match in _TOKEN.finditer(text):
        kind, word = match.lastgroup or "", match.group()
        span = Span(match.start(), match.end())
        if kind == "space":
            continue
        if kind == "number":
            _judge_number(word, span)
        if kind == "sign" and word not in _GRAMMAR and word != ":":
            raise _bad_sign(word, span)
        if kind == "name" and keyword.iskeyword(word) and word not in {"and", "or", "not"}:
            say = f"{word} is no word of rules"
            raise Refused(Code.RULE_FORBIDDEN, span, say, _WORDS.get(word, ""))
        if kind == "text" and not word.isascii():
            raise _bad_character(word, span)
        yield Token(kind, word, span)


def _judge_number(word: str, span: Span) -> None:
    try:
        value = parse_decimal(word)
    except BadText as error:
        raise Refused(Code.RULE_NUMBER, span, error.message, error.hint) from error
    if value > NUMBER_MAX or len(word.replace(".", "")) > DIGITS_MAX:
        say = f"{shown(word)} is above 10^12 or has more than {DIGITS_MAX} digits"
        raise Refused(Code.RULE_NUMBER, span, say)


def _bad_sign(word: str, span: Span) -> Refused:
    if word in _OTHER_SIGNS:
        say = f"{word} is no operator of rules"
        return Refused(Code.RULE_OPERATOR, span, say, _OTHER_SIGNS[word])
    if word in {'"', "'"}:
        say = "a text starts here that does not end in its line, or holds a backslash"
        return Refused(Code.RULE_SYNTAX, span, say, 'such as on("1h", close)')
    if word == "#":
        hint = "put it on a line of its own in the YAML, outside of the value"
        return Refused(Code.RULE_FORBIDDEN, span, "a comment inside a rule", hint)
    if word in "{}":
        return Refused(Code.RULE_FORBIDDEN, span, f"{word} is no bracket of rules", "write ( )")
    return _bad_character(word, span)


def _bad_character(word: str, span: Span) -> Refused:
    strange = next(c for c in word if not " " <= c <= "~")
    at = span.at + word.index(strange)
    say = f"character U+{ord(strange):04X} has no place in a rule"
    hint = "rules are plain ASCII; look-alikes are often pasted from web pages"
    return Refused(Code.RULE_CHARACTER, Span(at, at + 1), say, hint)


class _Order:
    """Which word may follow which: alternately a value and what joins it to the next."""

    def __init__(self) -> None:
        self.open: list[_Bracket] = []
        self.last = Token("start", "", Span(0, 0))
        self.before_last = self.last
        self.prefixes = 0
        self.wants_value = True

    def take(self, token: Token) -> None:
        """One more word; raises Refused when it cannot stand here."""
        if token.word == ":" and token.kind == "sign":
            raise self._colon(token)
        if self.last.word == "." and self.last.kind == "sign":
            self._after_dot(token)
        elif self.wants_value:
            self._value(token)
        else:
            self._joint(token)
        self.before_last, self.last = self.last, token

    def _value(self, token: Token) -> None:
        word = token.word
        if token.kind in {"number", "text"} or (
            token.kind == "name" and word not in {"and", "or", "not"}
        ):
            self.wants_value, self.prefixes = False, 0
            return
        if token.kind == "name" and word == "not":
            self._not(token)
        elif token.kind == "sign" and word in {"+", "-"}:
            self._prefix(token)
        elif token.kind == "sign" and word == "(":
            self._push(token, call=False)
        elif word == ")" and self.last.word == "(" and self.open[-1].call:
            self._close(token)
        else:
            raise self._no_value(token)

    def _not(self, token: Token) -> None:
        if self.last.kind == "sign" and self.last.word not in {"(", ",", "="}:
            say = f"not stands behind {self.last.word}"
            hint = "put not and its condition in brackets"
            raise Refused(Code.RULE_SYNTAX, token.span, say, hint)
        self._prefix(token)

    def _prefix(self, token: Token) -> None:
        self.prefixes += 1
        if self.prefixes > PREFIXES_MAX:
            say = f"more than {PREFIXES_MAX} signs before one value"
            raise Refused(Code.RULE_TOO_LARGE, token.span, say)

    def _push(self, token: Token, *, call: bool) -> None:
        self.open.append(_Bracket(token, call))
        self.wants_value, self.prefixes = True, 0
        if len(self.open) > BRACKETS_MAX:
            say = f"more than {BRACKETS_MAX} brackets inside each other"
            hint = "put parts of it into triggers of signals.yaml"
            raise Refused(Code.RULE_TOO_LARGE, token.span, say, hint)

    def _no_value(self, token: Token) -> Refused:
        if token.kind == "end":
            say = f"the rule ends where {self.last.word} wants a value"
            return Refused(Code.RULE_SYNTAX, self.last.span, say)
        if token.word == "[":
            hint = "rules have no lists; close[1] is the bar before"
            return Refused(Code.RULE_FORBIDDEN, token.span, "a list", hint)
        say = f"a value is missing before {token.word}"
        return Refused(Code.RULE_SYNTAX, token.span, say)

    def _joint(self, token: Token) -> None:
        word = token.word
        if token.kind == "end":
            self._end()
        elif token.kind == "name" and word in {"and", "or"}:
            self.wants_value = True
        elif token.kind != "sign" or word not in _GRAMMAR:
            say = f"an operator is missing before {shown(word)}"
            raise Refused(Code.RULE_SYNTAX, token.span, say, self._meant(word))
        elif word in _BINARY:
            self.wants_value = True
        elif word in _OPEN:
            self._push(token, call=self._may_be_called(token))
        elif word in {")", "]"}:
            self._close(token)
        elif word == ",":
            self._comma(token)
        elif word == "=":
            self._equals(token)

    def _meant(self, word: str) -> str:
        """What was probably meant by words without an operator between them."""
        for said in (word.lower(), self.last.word.lower()):
            if said in {"and", "or", "not"}:
                return f"write {said}" if said not in {word, self.last.word} else _CONDITIONS
        return _PHRASES.get(word.lower(), "")

    def _may_be_called(self, token: Token) -> bool:
        """Whether an opening bracket behind a value starts a call; raises Refused."""
        if token.word == "[":
            return False
        if self.last.kind != "name":
            say = f"an operator is missing before {token.word}"
            raise Refused(Code.RULE_SYNTAX, token.span, say, "only a name can be called")
        return True

    def _close(self, token: Token) -> None:
        if not self.open:
            say = f"{token.word} closes nothing"
            raise Refused(Code.RULE_SYNTAX, token.span, say)
        bracket = self.open.pop()
        if _OPEN[bracket.token.word] != token.word:
            say = f"{token.word} cannot close {bracket.token.word}"
            raise Refused(Code.RULE_SYNTAX, token.span, say)
        self._argument_ends(bracket)
        self.wants_value = False

    def _argument_ends(self, bracket: _Bracket) -> None:
        if bracket.names and not bracket.named:
            say = "an argument without a name behind one with a name"
            raise Refused(Code.RULE_SYNTAX, self.last.span, say, "named arguments come last")

    def _comma(self, token: Token) -> None:
        if not self.open or not self.open[-1].call:
            say = "a comma outside of a call"
            raise Refused(Code.RULE_SYNTAX, token.span, say, _CONDITIONS)
        bracket = self.open[-1]
        self._argument_ends(bracket)
        bracket.named = False
        self.wants_value = True

    def _equals(self, token: Token) -> None:
        inside = bool(self.open) and self.open[-1].call
        starts = self.before_last.word in {"(", ","} and self.before_last.kind == "sign"
        if not (inside and starts and self.last.kind == "name"):
            say = "= sets nothing here"
            raise Refused(Code.RULE_SYNTAX, token.span, say, "equal is written ==")
        self.open[-1].named = self.open[-1].names = True
        self.wants_value = True

    def _after_dot(self, token: Token) -> None:
        if token.kind != "name" or token.word in {"and", "or", "not"}:
            say = "the name of an output belongs behind the dot"
            raise Refused(Code.RULE_SYNTAX, token.span, say, "such as macd(12, 26, 9).signal")

    def _colon(self, token: Token) -> Refused:
        if self.open and self.open[-1].token.word == "[":
            hint = "x[1] is the bar before; sma, highest, lowest, any, all look at several bars"
            return Refused(Code.RULE_FORBIDDEN, token.span, "[ ] takes one bar, no range", hint)
        return Refused(Code.RULE_OPERATOR, token.span, ": is no operator of rules")

    def _end(self) -> None:
        if self.open:
            bracket = self.open[-1].token
            raise Refused(Code.RULE_SYNTAX, bracket.span, f"{bracket.word} is never closed")
