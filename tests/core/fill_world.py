"""Bar tables as text: what happens on bars that stand beside the fills that they should bring.

A line is `prices [volume] | what the strategy says at its close | fills on this bar`:

    10000,10020,9990,10010 v0.3 | in  | buy 400 @10005 fee 4002000

One price stands for all four, `-` for a minute without a bar. Volume is 1 BTC (1,000 lots) unless
said. The strategy asks for 400 lots (the most that the instrument takes), at a price up to 5 % away
from the close, and so do its exits; its stop is far away unless said. A fill may name its `fee`
(cash units), its `coin` (amount of a third coin), `base` (a fee in base units) and `why` (reason).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any

from trader.core.closing import CLOSE_LEG
from trader.core.model import Model
from trader.core.parameters import EntryStyle, StrategyCode
from trader.core.series import BarRow, Series, build_series
from trader.core.simulate import Simulation
from trader.core.state import State
from trader.domain.instrument import Instrument
from trader.domain.timeframe import timeframe_name

from .made import BAR_MS, BTC, MINUTE_MS, TICK, UNIT, account, instrument, parameters, strategy

WIDE = {"slippage_ppm": 50_000, "exit_slippage_ppm": 50_000, "collar_ppm": 200_000}
FREE = Model(spread_ppm=0)
MAKER = EntryStyle("maker", ttl_ms=30 * MINUTE_MS, reprice_ppm=500_000, moves_max=0)
SPACE = " "


@dataclass(frozen=True)
class Table:
    """One table: its lines and what else is not usual."""

    text: str
    model: Model = FREE
    rules: Mapping[str, str] = field(default_factory=dict[str, str])
    exits: Mapping[str, float] = field(default_factory=dict[str, float])
    limits: Mapping[str, Any] = field(default_factory=dict[str, Any])
    maker: bool = False
    minutes: int = 1
    detail: str = ""
    others: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Line:
    """One line, read."""

    bar: tuple[int, int, int, int] | None
    volume: float
    says: str
    fills: tuple[str, ...]


def lines_of(text: str) -> list[Line]:
    """The lines of a table."""
    return [_line(line) for line in text.strip().splitlines()]


def _line(line: str) -> Line:
    bars, says, fills = (*(part.strip() for part in line.split("|")), "", "")[:3]
    words = bars.split()
    volume = next((float(word[1:]) for word in words[1:] if word.startswith("v")), 1.0)
    told = tuple(fill.strip() for fill in fills.split(";") if fill.strip())
    if words[0] == "-":
        return Line(None, 0.0, says, told)
    prices = [int(word) for word in words[0].split(",")]
    open_, high, low, close = prices if len(prices) == 4 else prices * 4
    return Line((open_, high, low, close), volume, says, told)


def series_of(lines: list[Line], symbol: str, minutes: int, *, warm: bool = True) -> Series:
    """A flat bar of warm-up, then these."""
    step_ms = minutes * MINUTE_MS
    rows: list[BarRow] = []
    if warm:
        rows.append((BAR_MS - step_ms, 10_000, 10_000, 10_000, 10_000, lines[0].volume))
    for number, line in enumerate(lines):
        if line.bar is not None:
            rows.append((BAR_MS + number * step_ms, *line.bar, line.volume))
    return build_series(symbol, step_ms, TICK, rows)


def says_of(lines: list[Line], exits: Mapping[str, float], minutes: int) -> StrategyCode:
    """Enters and leaves where the lines say."""
    step_ms = minutes * MINUTE_MS

    def signals(bars: Any, numbers: Mapping[str, float | int]) -> dict[str, list[Any]]:
        turns: list[int] = [(opened - BAR_MS) // step_ms for opened in bars.open_ms]
        words = [lines[turn].says if 0 <= turn < len(lines) else "" for turn in turns]
        distances = {"stop": 50.0, **exits}
        return {
            "enter": [int("in" in word.split()) for word in words],
            "exit": [int("out" in word.split()) for word in words],
            **{name: [value] * len(words) for name, value in distances.items()},
        }

    return StrategyCode(lambda _: 1, signals)


def _listed(rules: Mapping[str, str]) -> Instrument:
    changed: dict[str, Any] = {"qty_max": "0.4", **rules}
    return instrument(**changed)


def play(table: Table) -> tuple[State, list[tuple[str, dict[str, Any]]]]:
    """Everything that happened on a table's bars."""
    facts: list[tuple[str, dict[str, Any]]] = []
    lines, step_ms = lines_of(table.text), table.minutes * MINUTE_MS
    frame = timeframe_name(step_ms)
    series = {(BTC, frame): series_of(lines, BTC, table.minutes)}
    for symbol, text in table.others.items():
        series[symbol, frame] = series_of(lines_of(text), symbol, table.minutes, warm=False)
    if table.detail:
        finer = series_of(lines_of(table.detail), BTC, 1, warm=False)
        series[BTC, table.model.detail] = finer
    spec = strategy(timeframe=frame, timeframe_ms=step_ms)
    given = parameters(replace(spec, style=MAKER) if table.maker else spec, **WIDE)
    given = replace(given, step_ms=step_ms, limits=replace(given.limits, **table.limits))
    state = account(1_000 * UNIT, _listed(table.rules))
    simulation = Simulation(
        given,
        {"one": says_of(lines, table.exits, table.minutes)},
        series,
        state,
        table.model,
        lambda kind, payload: facts.append((kind, dict(payload))),
    )
    bars = simulation.decision_bars(BAR_MS, BAR_MS + len(lines) * step_ms)
    for bar_ms in bars:
        simulation.decide_and_execute(bar_ms)
    simulation.finish(bars[-1])
    return state, facts


def fills_of(table: Table, facts: list[tuple[str, dict[str, Any]]]) -> list[tuple[int, str]]:
    """(number of the line whose prices it met, the fill as text with all it could say)."""
    orders: dict[str, dict[str, Any]] = {}
    told: list[tuple[int, str]] = []
    step_ms = table.minutes * MINUTE_MS
    for kind, fact in facts:
        rows = fact["legs"] if kind == "plan" else [fact] if kind == "order_planned" else []
        orders.update({row["client_id"]: row for row in rows})
        if kind != "fill":
            continue
        order = orders[fact["client_id"]]
        # What rested, or met a close, is told when its bar has closed; an open, when it opened.
        behind = order["tif"] == "gtc" or order["leg"] == CLOSE_LEG
        behind = behind or table.model.latency_bars == 0
        number = (fact["at_ms"] - BAR_MS - int(behind)) // step_ms
        words = [
            f"{fact['side']} {fact['qty_lots']} @{fact['price_ticks']}",
            f"fee {fact['fee_cash_units']}",
            f"base {fact['fee_base_units']}",
            f"coin {fact['fee'] or 0}",
            f"why {order['reason']}",
            f"minute {(fact['at_ms'] - BAR_MS - int(behind)) // MINUTE_MS}",
        ]
        told.append((number, SPACE.join(words)))
    return told


def expected_of(table: Table) -> list[tuple[int, str]]:
    """(number of the line, fill) as the table has them."""
    lines = enumerate(lines_of(table.text))
    return [(number, fill) for number, line in lines for fill in line.fills]


def cash_of(facts: list[tuple[str, dict[str, Any]]], lots_per_coin: int = 1_000) -> Fraction:
    """Cash in USDT after the fills, counted from prices and quantities alone."""
    cash = Fraction(1_000)
    for kind, fact in facts:
        if kind != "fill":
            continue
        value = Fraction(fact["price_ticks"], 100) * Fraction(fact["qty_lots"], lots_per_coin)
        cash += -value if fact["side"] == "buy" else value
        cash -= Fraction(fact["fee_cash_units"], UNIT)
    return cash


def disagreement(table: Table) -> str:
    """What a table's fills are instead of what stands beside its bars; "" when they agree."""
    state, facts = play(table)
    wanted, told = expected_of(table), fills_of(table, facts)
    found = [
        (number, _only(text, wanted[at][1] if at < len(wanted) else ""))
        for at, (number, text) in enumerate(told)
    ]
    if found != wanted:
        return f"{found} instead of {wanted}"
    cash = Fraction(state.cash_units, UNIT)
    return "" if cash == cash_of(facts) else f"cash of {cash} instead of {cash_of(facts)}"


def _only(told: str, wanted: str) -> str:
    """The words of a fill that the table speaks of."""
    words = told.split()
    pairs = dict(zip(words[3::2], words[4::2], strict=True))
    asked = wanted.split()[3::2]
    return SPACE.join(
        [*words[:3], *(word for name in asked for word in (name, pairs.get(name, "?")))]
    )
