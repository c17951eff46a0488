"""One decision, taken for the page that walks through it.

Lives here: a small policy, made bars, the first entry that the gates let through, and the same
arithmetic told line by line. Must not live here: anything that decides.
"""

from __future__ import annotations

import tempfile
from decimal import Decimal
from pathlib import Path
from typing import Any

POLICY = {
    "app": "timeframe: 1m\ncycle: {anchor_bars: 64}\n",
    "policy": "profile: conservative\n",
    "universe": "tiers: {core: {pairs: [BTC/USDT]}}\n",
    "signals": "{}\n",
    "strategies": """cross:
  enter: crosses_above(ema(close, 10), ema(close, 40))
  exit: crosses_below(ema(close, 10), ema(close, 40))
  stop: 2%
  target: 4%
  timeframe: 1m
""",
}
ACCOUNT = Decimal(10_000)
RULES = {"tick": "0.01", "lot": "0.00001", "qty_min": "0.00001", "qty_max": "9000",
         "notional_min": "5", "fee_taker": "0.001", "fee_maker": "0.001"}  # fmt: skip


def decision_lines() -> list[str]:
    """The page, without its head."""
    snapshot, decided, parameters = first_entry()
    row = next(row for row in decided.trail if row.answer == "approved")
    leg = decided.legs[0]
    return [*_opening(parameters), *_size_lines(snapshot, row, leg), *_gate_lines(snapshot, row)]


def first_entry() -> tuple[Any, Any, Any]:
    """(snapshot, plan, parameters) of the first decision that approves an entry."""
    from trader.bars.load import load_bars
    from trader.bars.resample import resample
    from trader.core.fold import fold
    from trader.core.parameters import StrategyCode
    from trader.core.plan import plan, plan_payload
    from trader.core.simulate import Model, Simulation
    from trader.core.state import State, instrument_row
    from trader.domain.instrument import Instrument
    from trader.exchange.made_bars import DEMO_INSTRUMENTS, write_made_bars
    from trader.policy.checking import check_policy
    from trader.policy.parameters import build_parameters
    from trader.policy.sources import find_sources

    with tempfile.TemporaryDirectory(prefix="trader-docs-") as name:
        folder = Path(name)
        for file, text in POLICY.items():
            (folder / f"{file}.yaml").write_text(text, encoding="utf-8")
        form = check_policy(find_sources([name], cwd=folder, env={}), {}).form
        [path] = write_made_bars(folder, minutes=600, instruments=DEMO_INSTRUMENTS[:1])
        bars = load_bars(path, "BTC/USDT", Decimal(RULES["tick"])).series
    parameters = build_parameters(form, {})
    [spec] = parameters.strategies
    codes = {"cross": StrategyCode(lambda _: 0, lambda _bars, _numbers: {}, spec.program)}
    state = State()
    units = int(ACCOUNT * 10**8)
    genesis = {"account": "demo", "mode": "paper", "prefix": parameters.prefix, "quote": "USDT",
               "cash_digits": 8, "capital": "", "capital_units": units}  # fmt: skip
    fold(state, "genesis", genesis)
    exact = {key: Decimal(value) for key, value in RULES.items()}
    listed = Instrument("BTC/USDT", "BTC", "USDT", **exact)
    fold(state, "instrument", instrument_row(listed))
    series = {("BTC/USDT", "1m"): bars, ("BTC/USDT", "1d"): resample(bars, 86_400_000)}
    simulation = Simulation(parameters, codes, series, state, Model(), lambda *_: None)
    for bar_ms in simulation.decision_bars(0, 2**62):
        snapshot = simulation.snapshot(bar_ms)
        decided = plan(snapshot)
        if decided.legs:
            return snapshot, decided, parameters
        fold(state, "plan", plan_payload(decided))
    raise ValueError("the made bars hold no entry")


def _opening(parameters: Any) -> list[str]:
    limits = parameters.limits
    return [
        "# One decision, from signal to order",
        "",
        f"An account of {ACCOUNT} USDT, the ready profile `conservative`, one strategy of rules on",
        "made bars of one minute, and its first entry. The numbers on this page were computed by",
        "the program when the page was made; `trader preview BTC/USDT buy` shows the same of your",
        "own account, and `trader audit explain CYCLE` of a decision that was taken.",
        "",
        "```yaml",
        *(f"{line}" for line in POLICY["strategies"].splitlines()),
        "```",
        "",
        f"The slippage cap is {_percent(limits.slippage_ppm)}: an order may pay that much more",
        "than the best price, and its size is computed as if it did.",
        "",
    ]


def _percent(ppm: int) -> str:
    from trader.app.units import percent_text

    return percent_text(ppm)


def _size_lines(snapshot: Any, row: Any, leg: Any) -> list[str]:
    """How the size came about: what was told in the trail, and the loss worked out again."""
    from trader.app.units import Units
    from trader.core.scale import text

    units = Units(snapshot.state)
    spec = snapshot.state.spec("BTC/USDT")
    asked = leg.proposal
    slippage = Decimal(snapshot.parameters.limits.slippage_ppm) / 10**6
    fee = Decimal(RULES["fee_taker"])
    price, stop = leg.price, spec.price(asked.stop_ticks)
    lines = ["## The signal", "", "| seen | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in _told(units, row.seen)]
    lines += ["", "## The size", "", "| step | value |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in _told(units, row.asked)]
    exit_price = stop * (1 - slippage)
    paid, received = leg.qty * price, leg.qty * exit_price
    lost = paid * (1 + fee) - received * (1 - fee)
    less = _percent(int(slippage * 10**6))
    cost = f"cost   {text(leg.qty)} BTC x {text(price)} = {_cents(paid)}"
    sold = f"stop   {text(leg.qty)} BTC x {text(stop)} less {less} = {_cents(received)}"
    lines += ["", "Worked out again by hand, to the cent:", "", "```"]
    lines.append(f"{cost}, with the fee {_cents(paid * (1 + fee))}")
    lines.append(f"{sold}, less the fee {_cents(received * (1 - fee))}")
    lines.append(f"loss   {_cents(lost)} if the stop is hit")
    return [*lines, "```", ""]


def _cents(amount: Decimal) -> str:
    return f"{amount:.2f} USDT"


def _told(units: Any, values: dict[str, Any]) -> list[tuple[str, str]]:
    return [units.told("BTC/USDT", key, value) for key, value in values.items()]


def _gate_lines(snapshot: Any, row: Any) -> list[str]:
    from trader.app.units import Units
    from trader.core.reasons import REFUSALS

    units = Units(snapshot.state)
    lines = ["## The gates", "", f"{len(row.gates)} are asked; the first no would decide.", ""]
    lines += ["| gate | measured | limit | would refuse when |", "|---|---|---|---|"]
    for gate in row.gates:
        measured, limit = (
            units.measure("BTC/USDT", value, gate.unit) for value in (gate.measured, gate.limit)
        )
        lines.append(f"| `{gate.code}` | {measured} | {limit} | {REFUSALS[gate.code]} |")
    return [
        *lines,
        "",
        "None said no: the order is approved, written down, and only then sent.",
        "",
    ]
