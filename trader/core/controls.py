"""The controls that regulators and the industry ask of a trading program, and what keeps each.

Lives here: one row per control: its number in the table of docs/controls.md, the policy keys that
set it, the codes that a decision refuses with, and where it comes from. Must not live here: the
gates, and how often they refused (see `app.controls`).

Sources: RTS6 is Regulation (EU) 2017/589, by article; 15c3-5 the SEC's market access rule; FIA the
risk-control papers of the Futures Industry Association; K1 to K8 the causes that the SEC's order on
Knight Capital names (Release 34-70694).
"""

from __future__ import annotations

from trader.records import dataclass

LATER = "later"


@dataclass(frozen=True, slots=True)
class Control:
    """One control.

    `keys`: dotted keys of the policy, none where it is always on. `codes`: of refusals, of a
    problem of the policy, or of an order that was abandoned. `proof`: the program that shows it
    beside the tests. `note`: what a reader must know; begins with LATER where it is not built yet.
    """

    number: int
    title: str
    source: str
    keys: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    proof: str = ""
    note: str = ""

    @property
    def is_later(self) -> bool:
        """Whether it is announced only."""
        return self.note.startswith(LATER)


_L = "policy.limits."
CONTROLS: tuple[Control, ...] = (
    Control(
        1,
        "price collar against an independent reference, per order and over a window",
        "RTS6 15(1)(a)",
        (f"{_L}collar", f"{_L}collar_window", f"{_L}collar_window_bars"),
        ("PRICE_COLLAR", "COLLAR_WINDOW"),
    ),
    Control(
        2,
        "largest order value, in the settlement currency and in the owner's own",
        "RTS6 15(1)(b); 15c3-5(c)(1)(ii)",
        (f"{_L}order_value_max", "policy.home.order_value_max"),
        ("ORDER_VALUE", "ORDER_VALUE_HOME"),
    ),
    Control(
        3,
        "largest order quantity, apart from its value",
        "RTS6 15(1)(c)",
        (f"{_L}order_qty_max", f"{_L}order_qty_max_of.*"),
        ("ORDER_QTY",),
    ),
    Control(
        4,
        "most messages in a second, a minute and a day, with a reserve for cancels",
        "RTS6 15(1)(d)",
        (
            "policy.messages.per_second",
            "policy.messages.per_minute",
            "policy.messages.per_day",
            "policy.messages.reserve",
        ),
        ("MESSAGES",),
    ),
    Control(
        5,
        "what was sent and not answered counts at once, in full",
        "RTS6 15(2)",
        (f"{_L}pending_max",),
        ("PENDING_EXPOSURE", "CASH"),
    ),
    Control(
        6,
        "a strategy that filled many entries without a human is stopped",
        "RTS6 15(3)",
        (f"{_L}unattended_max",),
        ("UNATTENDED",),
    ),
    Control(
        7,
        "positions, open orders and fees stay within the capital",
        "RTS6 15(4); 15c3-5(c)(1)(i)",
        ("app.capital",),
        ("CAPITAL", "CASH"),
    ),
    Control(
        8,
        "long and gross limits per coin and overall; shorts are refused",
        "RTS6 17(4)",
        (f"{_L}asset_max", f"{_L}exposure_max", f"{_L}position"),
        ("ASSET_EXPOSURE", "EXPOSURE_TOTAL", "POSITION_CAP", "SHORT"),
    ),
    Control(
        9,
        "daily and rolling loss, draw-down: marked to market",
        "FIA; CME practice",
        (
            f"{_L}day_stop",
            f"{_L}rolling_loss",
            f"{_L}rolling_days",
            f"{_L}drawdown_max",
            f"{_L}strategy_drawdown",
        ),
        ("DAY_STOP", "ROLLING_LOSS", "DRAWDOWN_STOP", "STRATEGY_DRAWDOWN"),
    ),
    Control(
        10,
        "an intent exists once: its identity is computed, not drawn",
        "15c3-5(c)(1)(ii)",
        (),
        ("DUPLICATE_INTENT",),
        "crash_sweep.py",
    ),
    Control(
        11,
        "a venue without client ids: look before sending again",
        "payment practice",
        note=f"{LATER}: every venue so far takes client ids",
    ),
    Control(
        12,
        "children never exceed their parent, told from the venue's fills",
        "Knight K4",
        (),
        ("CHILD_QTY",),
    ),
    Control(
        13,
        "stale, gappy, crossed, zero, outlying or repainted data",
        "FIA",
        (
            f"{_L}quote_age_max",
            f"{_L}missing_bars_max",
            f"{_L}bar_jump_max",
            f"{_L}repaint_max",
            f"{_L}spread_max",
        ),
        (
            "DATA_STALE",
            "DATA_GAPPY",
            "DATA_SHORT",
            "DATA_IMPOSSIBLE",
            "DATA_JUMP",
            "DATA_REPAINTED",
            "QUOTE_MISSING",
            "QUOTE_CROSSED",
            "QUOTE_OLD",
            "SPREAD",
        ),
    ),
    Control(
        14,
        "restricted instruments, sides, order types and venues; unknown is refused",
        "15c3-5(c)(2)(ii); RTS6 8",
        (
            "policy.restricted.instruments",
            "policy.restricted.sides",
            "policy.restricted.order_types",
            "policy.restricted.venues",
            "universe.deny",
        ),
        ("RESTRICTED", "INSTRUMENT_INACTIVE", "NOT_A_MEMBER"),
        "universe_trail.py",
    ),
    Control(
        15,
        "an own buy never meets an own sell, whichever strategy's",
        "FIA",
        (),
        ("SELF_CROSS", "OWNED_BY_OTHER"),
    ),
    Control(
        16,
        "kill: one command, any subset",
        "RTS6 12(1); ESMA 1612",
        note=f"{LATER}: `trader kill --all` is there; subsets come",
    ),
    Control(
        17,
        "kill is a latch outside the process",
        "FIA 1.11",
        proof="tamper.py",
        note=f"{LATER}: the latch is there; ending a stopped process comes",
    ),
    Control(18, "kill is confirmed by reading twice", "RTS6 12; 17(3)", note=f"{LATER}: as 16"),
    Control(19, "only a named human re-enables", "RTS6 15(3)", note=f"{LATER}: as 17"),
    Control(
        20,
        "who caused each order is recorded",
        "RTS6 12(3)",
        proof="replay.py",
        note=f"{LATER}: every order is a plan's; the row of evidence comes",
    ),
    Control(
        21, "a venue's own dead man's switch", "FIA", note=f"{LATER}: never with resting stops"
    ),
    Control(
        22,
        "reconcile each cycle; a mismatch stops new risk",
        "RTS6 17(3)",
        codes=("BOOKS_MISMATCH",),
        note=f"{LATER}: causes of differences",
    ),
    Control(23, "a second source for fills", "RTS6 17(3); FIA", note=LATER),
    Control(24, "alarms within seconds, with a dead letter", "RTS6 16(5); K5", note=LATER),
    Control(25, "a heartbeat outside the host", "RTS6 14", note=LATER),
    Control(
        26,
        "code, policy and lock are those that were approved",
        "RTS6 5, 11; K1",
        (f"{_L}approval",),
        ("HASH_UNAPPROVED",),
    ),
    Control(
        27,
        "no dead flags: every key is read, an unknown key fails",
        "K2, K3",
        (),
        ("UNKNOWN_KEY",),
        "keys.py",
    ),
    Control(28, "staged deployment with evidence", "RTS6 7, 8", note=LATER),
    Control(29, "test and live cannot mix", "RTS6 7", note=LATER),
    Control(30, "rights of the keys are checked", "RTS6 18", note=LATER),
    Control(31, "an override is temporary", "RTS7 20(2)(d)", note=LATER),
    Control(32, "self-assessment from the program's own logs", "RTS6 9", note=LATER),
    Control(33, "stress at twice the busiest months", "RTS6 10", note=LATER),
    Control(34, "continuity: restore, reconcile, stay latched", "RTS6 14", note=LATER),
    Control(
        35,
        "clocks: of the host against the venue's; backwards, leaps and daylight saving",
        "RTS 25",
        (f"{_L}clock_skew_max", "policy.day.zone", "policy.day.starts_at"),
        ("CLOCK_SKEW",),
        "calendars.py",
    ),
    Control(36, "self-check for manipulation", "RTS6 13", note=LATER),
)
