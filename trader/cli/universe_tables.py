"""`trader universe show` for people: the regime, then a table for each tier.

Lives here: layout and rounding; fits 80 columns and uses what there is beyond. Must not live here:
what is shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from trader.cli.times import span

Row = dict[str, Any]
NONE = "-"
SAYS = {1: "yes", 0: "no", -1: "not ready", None: "not told"}
# Policies that cap nothing say so with such numbers.
CAPS_FROM, PPM = 1_000, 1_000_000
_THOUSANDS = ("", "k", "M", "G", "T")


def universe_view(mode: str, view: Row) -> RenderableType:
    """Everything."""
    lines = [f"[{mode}] the universe at {view['at']}, chosen anew every {span(view['refresh_ms'])}"]
    if view["deny"]:
        lines.append(f"never: {', '.join(view['deny'])}")
    lines += [f"assumed: {said}" for said in view.get("assumed", ())]
    parts: list[RenderableType] = [Text(line) for line in lines]
    parts += _regime(view["regime"])
    for tier in view["tiers"]:
        parts += _tier(tier, view["quote"])
    if not view["tiers"]:
        parts.append(Text("There are no tiers: strategies trade what they name."))
    return Group(*parts)


def _regime(row: Row | None) -> Iterator[RenderableType]:
    yield Text()
    if row is None:
        yield Text("No regime is declared: every tier is open at full size.")
        return
    name = row["name"] or "not told yet"
    opened = ", ".join(row["open"]) or "no tier"
    yield Text.assemble(
        ("Regime ", "bold"), (name, "bold"), f": {opened} open, sizes {_percent(row['risk_ppm'])}"
    )
    newest = row["newest"] or "nothing"
    yield Text(
        f"told from {row['benchmark']} {row['timeframe']}, bar of {row['bar']}; a state counts "
        f"after {row['confirm_bars']} bars in a row; the newest bar says {newest}"
    )
    if row["why"]:
        yield Text(f"because: {row['why']}")
    rules = ", ".join(f"{name} {SAYS.get(said, said)}" for name, said in row["rules"].items())
    yield Text(f"rules on it: {rules}")
    if row["values"]:
        told = ", ".join(f"{key} = {_short(value)}" for key, value in row["values"].items())
        yield Text(f"values: {told}")


def _tier(row: Row, quote: str) -> Iterator[RenderableType]:
    yield Text()
    state = ("open", "green") if row["open"] else ("closed", "red")
    members = ", ".join(row["members"]) or "none"
    yield Text.assemble((f"Tier {row['tier']} ", "bold"), state, f", members: {members}")
    rule = f"the best {row['take']} by {row['rank_by']}, kept to rank {row['keep']}"
    caps = [
        f"at most {row['positions_max']} positions" if row["positions_max"] < CAPS_FROM else "",
        f"at most {_percent(row['weight_ppm'])} of equity" if row["weight_ppm"] < PPM else "",
    ]
    told = [rule if row["take"] else "all that pass", *filter(None, caps)]
    yield Text(f"{'; '.join(told)}; chosen {row['chosen']}")
    if row["candidates"]:
        yield _candidates(row, quote)
    else:
        yield Text("no candidates were looked at")


def _candidates(tier: Row, quote: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 1, 0, 0))
    table.add_column("pair", no_wrap=True)
    ranked = [] if tier["rank_by"] == "quote_volume" else [tier["rank_by"]]
    for name in ("rank", f"{quote}/24h", "spread", "history", *ranked):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("answer", overflow="fold")
    for row in tier["candidates"]:
        seen = row["seen"]
        numbers = [
            str(seen.get("rank", NONE)),
            _money(seen.get("quote_volume")),
            _percent(seen["spread_ppm"]) if "spread_ppm" in seen else NONE,
            span(seen["age_minutes"] * 60_000) if "age_minutes" in seen else NONE,
            *(_share(seen.get(name)) for name in ranked),
        ]
        answer = Text("member", style="green")
        if not row["member"]:
            answer = Text(f"{row['answer']} {row['detail']}".strip())
        table.add_row(row["symbol"], *numbers, answer)
    return table


def _percent(ppm: int) -> str:
    return f"{ppm / 10_000:.4g}%"


def _share(text: str | None) -> str:
    return NONE if text is None else f"{float(text) * 100:+.2f}%"


def _short(text: str) -> str:
    return f"{float(text):.6g}"


def _money(text: str | None) -> str:
    """`12.3M` of 12345678.9."""
    if text is None:
        return NONE
    value, unit = float(text), 0
    while abs(value) >= 1000 and unit < len(_THOUSANDS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{value:.3g}{_THOUSANDS[unit]}"
