"""What is wrong with a policy: one value per problem, all of them in one error.

Lives here: the problem, its codes, how a text of the user is quoted without giving away a secret.
Must not live here: the checks themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from trader.errors import UsageError
from trader.records import dataclass


class Code(StrEnum):
    """Stable names of policy problems; the text is what docs/ shows."""

    FOLDER_MISSING = "no configuration folder was found"
    FILE_MISSING = "one of the five files is missing"
    FILE_UNREADABLE = "a file cannot be read"
    FILE_STRAY = "a YAML file that is never read (warning)"
    TOO_LARGE = "a file, or its number of values, is above the bound"
    TOO_DEEP = "nested too deeply"
    NOT_UTF8 = "a file is not UTF-8 text"
    CONTROL_CHARACTER = "a NUL or another control character"
    TAB = "a tab outside a comment"
    EMPTY = "a file says nothing"
    YAML_SYNTAX = "not YAML"
    YAML_FEATURE = "an anchor, alias, tag or second document"
    DUPLICATE_KEY = "a key is written twice"
    UNKNOWN_SECTION = "not one of the five sections"
    UNKNOWN_KEY = "a key that nothing reads"
    BAD_NAME = "a name with characters that names cannot have"
    NO_VALUE = "a key without a value"
    WRONG_KIND = "a mapping, list or single value where another kind belongs"
    NOT_A_BOOLEAN = "neither true nor false"
    NOT_AN_INTEGER = "not a whole number"
    NOT_A_NUMBER = "not a plain decimal number"
    NOT_A_SHARE = "not a share such as 0.05, 5% or 500bps"
    NOT_A_DURATION = "not a duration such as 90s or 5m"
    NOT_A_DATE = "not a date such as 2026-12-24, or one that no calendar has"
    NOT_A_TIME = "not a time of day such as 08:30, or not a window of a week"
    ZONE_UNKNOWN = "a time zone that does not exist"
    OUT_OF_RANGE = "outside the bounds of its key"
    NOT_A_CHOICE = "not one of the words that its key knows"
    NOT_A_NAME = "text with characters that its key cannot hold"
    NOT_A_PAIR = "not an instrument such as BTC/USDT"
    PAIR_SPELLING = "an instrument written with a dash (warning)"
    PAIR_DERIVATIVE = "an instrument that is not spot"
    PAIR_TWICE = "an instrument is named twice"
    PAIR_QUOTE = "an instrument that does not settle in app.quote"
    PAIR_OUTSIDE_UNIVERSE = "a strategy's instrument that no tier of the universe holds"
    PAIR_DENIED = "an instrument that is both named and denied"
    CREDENTIAL = "a credential, or a place to write one, in a policy"
    CREDENTIALS_SHARED = "testnet and live read the same credential"
    CREDENTIAL_TWO_PLACES = "a credential is named by variable and by file"
    BASE_URL = "exchange.base_url is not an http(s) address of a loopback host"
    BASE_URL_LIVE = "exchange.base_url in live mode"
    DEADLINE_ORDER = "times within a cycle contradict each other"
    GRACE_TOO_SHORT = "an unknown order could still arrive after its grace"
    LIMIT_ORDER = "two limits contradict each other"
    LIMIT_IDLE = "a limit that another one makes without effect (warning)"
    MESSAGES_RATE = "rates of messages contradict each other, or leave none to entries"
    HOME_RATE = "the owner's own currency without its rate, or a rate without it"
    RESTRICTED_ALL = "restrictions that close the account for every entry (warning)"
    VAR_HISTORY = "value at risk that opens nothing without a history (warning)"
    SHARE_SCALE = "a share of the wrong scale: 25 for 25%, 1 for 1%, 0.25% for 25%"
    RISK_AMBIGUOUS = "risk, without saying exposure (value) or loss (to the stop)"
    TRADES_RATE = "trades of an hour and of a day contradict each other"
    PYRAMIDING_DISAGREES = "a strategy pyramids where the policy forbids it"
    EXPOSURE_SUM = "positions at their cap are more than the exposure of the account"
    LOSS_SUM = "positions at their stops lose more than the account may"
    BUDGETS_SUM = "budgets of strategies are more than the account has"
    NOTIONAL_TWICE = "two smallest orders, one of them without effect"
    STOP_LAYERS = "stops in the wrong order: position, day, draw-down"
    STOP_INSIDE_COSTS = "a stop, target, step or break-even nearer than fees and slippage"
    STOP_MISSING = "a strategy of rules without a stop"
    TRAIL_MISSING = "a price from which on a trail counts, without a trail"
    SCALE_OUT_SUM = "steps of a scale-out that sell more than all"
    SCALE_OUT_IDLE = "a step of a scale-out at or beyond the target (warning)"
    WINDOW_EMPTY = "a window that is empty, or ends before it begins"
    WINDOWS_OVERLAP = "windows of one list that overlap"
    CALENDAR_FILE = "a calendar file that is missing or cannot be used"
    CALENDAR_CLOSED = "sessions and closed windows that never let anything be opened"
    CALENDAR_LONG = "a closed window of more than a year (warning)"
    SESSION_MISSED = "no decision bar closes while entries are allowed"
    SESSION_LATE = "a strategy all of whose bars close while nothing may be opened (warning)"
    SIZE_KEY = "a key of a size that its method does not read"
    SIZE_AMOUNT = "a fixed size without its amount"
    CAP_BINDS = "a size that a cap always cuts (warning)"
    PROFILE_IDLE = "a profile of which no limit counts (warning)"
    NEVER_TRADES = "a strategy that can never trade"
    HOLD_SHORT = "a longest holding time below a decision bar"
    TIERS_OVERLAP = "an instrument that two tiers claim"
    TIER_KEEP = "keep below take, or without it"
    TIER_CAP = "a cap of a tier above the account's (warning)"
    REGIME_STATES = "states of the regime that never hold, or none for the rest"
    REGIME_SAME_RULE = "two states of the regime with one rule"
    REGIME_RISK = "a regime that opens tiers at no risk, or gives risk to none"
    REGIME_TIER = "a regime that opens a tier without pairs (warning)"
    REFRESH_STEP = "a refresh that is not a whole number of the universe's bars"
    CAPITAL_CAP = "more cash than app.cash_max"
    TIMEFRAME_MULTIPLE = "a strategy's bars are not whole decision bars"
    TIMEFRAME_VENUE = "bars that the venue does not serve"
    WARMUP_WINDOW = "a rule that needs more bars than can be read"
    PRESET_UNKNOWN = "a strategy names a preset that signals.presets lacks"
    ENTRY_KEY = "a key of a maker's order under the taker's style"
    ENTRY_SHORT = "a maker's order that lives shorter than a decision bar"
    ENTRY_RESTRICTED = "a maker's style where its order type is forbidden"
    ENTRY_TWICE = "a strategy that enters by a rule and by a file"
    INSTRUMENTS_TWICE = "a strategy that follows a tier and names instruments"
    NO_INSTRUMENTS = "an enabled strategy without instruments"
    NOTHING_ENABLED = "no strategy may open positions (warning)"
    STRATEGY_FILE = "a strategy file that is missing, unreadable or unsafe"
    STRATEGY_SOURCE = "a strategy file that is not usable Python"
    PARAMETER_UNKNOWN = "a parameter that the strategy file does not declare"
    PARAMETER_KIND = "a decimal where the strategy file declares a whole number"
    SWEEP_RANGE = "a range of a sweep that is not one, or holds a value twice"
    SWEEP_VALUE = "a value of a sweep that the strategy's rules cannot take"
    SWEEP_WHERE = "a condition of a sweep that cannot be read, or that no values keep"
    RULE_EMPTY = "a rule says nothing"
    RULE_TOO_LARGE = "a rule is too long, too deeply nested, or has too many parts"
    RULE_CHARACTER = "a character that rules do not have"
    RULE_SYNTAX = "a rule cannot be read: something is missing, left open or left over"
    RULE_FORBIDDEN = "a construct of a programming language that rules do not have"
    RULE_OPERATOR = "an operator that rules do not have"
    RULE_NUMBER = "a number in a rule that is not written plainly, or is out of bounds"
    RULE_NAME = "a name that a rule does not know, or that means two things"
    RULE_ARGUMENTS = "a function of a rule has too few, too many or the wrong arguments"
    RULE_PERIOD = "a period that is not a whole number, or is out of its bounds"
    RULE_TYPE = "a condition where a number belongs, or the other way round"
    RULE_PART = "an indicator's output is not chosen, or does not exist"
    RULE_RESULT = "a rule gives a condition where its key wants a number, or the other way round"
    RULE_CONSTANT = "a rule, or a comparison in it, that no bar can change"
    RULE_LOOKAHEAD = "a rule names a bar that is yet to come"
    RULE_DIVISION_BY_ZERO = "a rule divides by zero"
    RULE_TIMEFRAME = "a timeframe of on() that does not exist or is not above the strategy's"
    RULE_NESTED_ON = "on() inside on()"
    RULE_SESSION = "an indicator of unbounded memory without its session, or a bad session"
    RULE_CYCLE = "a trigger that needs itself"
    RULE_UNITS = "a rule mixes units, such as a price with an oscillator (warning)"
    RULE_EQUALITY = "a rule asks whether two computed numbers are exactly equal (warning)"
    RULE_ALWAYS = "a comparison that is always true (warning)"
    RULE_NEVER = "a comparison that can never be true (warning)"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to correct.

    Attributes:
        code: name of a `Code`.
        file: as the user would name it, or `env NAME`, or `<stdin>`.
        line, column: from 1; 0 when the problem has no place in a text.
        where: dotted key as written in that file, or "".
        message: what is wrong; hint: what to do about it, or "".
        excerpt: the line of a rule with a caret under the place, or "".
    """

    code: str
    file: str
    line: int
    column: int
    where: str
    message: str
    hint: str = ""
    excerpt: str = ""

    def __str__(self) -> str:
        """One line, as `policy check` prints it."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        if self.excerpt and self.line and self.column:
            place += f":{self.column}"
        subject = f"{self.where}: " if self.where else ""
        hint = f" ({self.hint})" if self.hint else ""
        return f"{place}: {self.code} {subject}{self.message}{hint}"

    def row(self) -> list[str | int]:
        """As plain data, for JSON."""
        return [
            self.code,
            self.file,
            self.line,
            self.column,
            self.where,
            self.message,
            self.hint,
            self.excerpt,
        ]


class PolicyError(UsageError):
    """A policy cannot be used; `problems` lists everything that is wrong with it."""

    def __init__(self, problems: Iterable[Problem], warnings: Iterable[Problem] = ()) -> None:
        self.problems = tuple(problems)
        self.warnings = tuple(warnings)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def problem_of(code: Code, file: str, message: str, hint: str = "", where: str = "") -> Problem:
    """A problem of a whole file."""
    return Problem(code.name, file, 0, 0, where, message, hint)


SHOWN_LENGTH_MAX = 40
# Patterns as text: compiled when first used, which a cycle with a cached policy never does.
_LONG_WORD = r"[A-Za-z0-9+/=_-]{20,}"
_LONG_HEX = r"[0-9a-fA-F]{32,}"
_CREDENTIAL_KEYS = frozenset(
    {
        "accesskey",
        "accesstoken",
        "apikey",
        "apisecret",
        "apitoken",
        "bearer",
        "key",
        "passphrase",
        "passwd",
        "password",
        "privatekey",
        "secret",
        "secretkey",
        "token",
        "totp",
        "totpsecret",
        "uid",
    }
)


def looks_like_credential(text: str) -> bool:
    """Whether a value is probably a key or secret: long, of one word, of mixed characters."""
    if "-----BEGIN" in text:
        return True
    if not re.fullmatch(_LONG_WORD, text):
        return False
    if text.isdigit():
        return False  # a number without end is refused as one
    if re.fullmatch(_LONG_HEX, text):
        return True
    digits = any(c.isdigit() for c in text)
    return digits and any(c.islower() for c in text) and any(c.isupper() for c in text)


def is_credential_key(key: str) -> bool:
    """Whether a key is a place where people write secrets."""
    return key.lower().replace("_", "").replace("-", "") in _CREDENTIAL_KEYS


def is_risk_key(key: str) -> bool:
    """Whether a key says `risk` as people do who mean exposure or loss, one of the two."""
    return "risk" in key.lower().replace("-", "_").split("_")


def shown(text: str) -> str:
    """A text of the user inside a message: quoted, short, on one line, never a secret."""
    if looks_like_credential(text):
        return "'(redacted)'"
    short = text if len(text) <= SHOWN_LENGTH_MAX else text[: SHOWN_LENGTH_MAX - 3] + "..."
    return repr(short)
