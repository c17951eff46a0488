"""The compiled reader of usual lines gives what the general one gives, and leaves it the rest."""

from __future__ import annotations

import random
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trader.bars.dialect import header_for, past_header
from trader.bars.rows import RowReader, fast_of
from trader.bars.source import Part
from trader.errors import DataError

T0 = 1_528_156_800_000
HEADERS = {
    "ms": "timestamp,open,high,low,close,volume",
    "s": "time,open,high,low,close,volume",
    "us": "open_time,open,high,low,close,volume,close_time,x",
    "ns": "timestamp_ns,volume,close,low,high,open",
    "iso": "date,symbol,open,high,low,close,volume",
    "T": "date,open,high,low,close,volume",
    "Z": "date,open,high,low,close,confirm,volume",
}
SCALE = {"ms": 1, "us": 1_000, "ns": 1_000_000}


def read(
    text: str, *, fast: bool, tick: Decimal | None = None, block: int = 1 << 16
) -> tuple[object, ...]:
    """Everything that reading gives: columns, report numbers, or the refusal."""
    data = text.encode()
    part = Part(Path("bars.csv"), "", "text", "")
    try:
        header = header_for(part, data)
        reader = RowReader(part, header, tick, fast=fast)
        rest = past_header(header, data)
        while rest:
            cut = rest.find(b"\n", min(block, len(rest)) - 1) + 1
            reader.take(rest[:cut])
            rest = rest[cut:]
        line = [reader.line_of(i) for i in range(0, len(reader.open_ms), 7)]
        reader.finish()
    except DataError as error:
        return ("refused", str(error))
    columns = (reader.open_ms, *reader.prices, reader.volume)
    told = (reader.ticks.tick, reader.ticks.snapped, reader.named, reader.newest_first, line)
    return (*(column.tobytes() for column in columns), *told)


def stamp(unit: str, at_ms: int, chance: random.Random) -> str:
    if unit == "s":
        return str(at_ms // 1000) if at_ms % 1000 == 0 else f"{at_ms / 1000:.3f}"
    if unit in SCALE:
        return str(at_ms * SCALE[unit])
    seconds = at_ms // 1000 % 86_400
    clock = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    day = 1 + (at_ms - T0) // 86_400_000
    date = f"2018-{6 + day // 29:02}-{1 + day % 29:02}"
    if unit == "T":
        return f"{date}T{clock}" + chance.choice(["", ".000", "Z", "+00:00"])
    return f"{date} {clock}" + chance.choice(["", "", " UTC", "+00:00" if unit == "Z" else ""])


def line(unit: str, at_ms: int, chance: random.Random, odd: float) -> str:
    digits = chance.choice([0, 1, 2, 2, 2, 3, 8] if chance.random() < odd else [2])
    low, opened, close, high = sorted(chance.randrange(1, 10**6) for _ in range(4))
    if chance.random() < 0.5:
        opened, close = close, opened
    unit_of = Decimal(1).scaleb(-digits)
    prices = {
        name: f"{value * unit_of:f}" + ("00" if chance.random() < odd and digits else "")
        for name, value in (("open", opened), ("high", high), ("low", low), ("close", close))
    }
    volume = chance.choice([repr(chance.random() * 10**6), "0", "0.0", "12.5", "7", ".5", "3."])
    if chance.random() < odd / 4:
        volume = chance.choice(["1e3", " 5", "0.1234567890123456789", '"4"'])
    if chance.random() < odd / 4:
        name = chance.choice(["open", "close"])
        shadow = prices[name] + "00000000000000001" if digits else prices[name]
        prices[name] = chance.choice([shadow, f'"{prices[name]}"'])
    cells = {
        **prices, "volume": volume, "symbol": "BTCUSDT", "confirm": "1", "x": "0",
        "close_time": str(at_ms + 59_999),
    }  # fmt: skip
    names = HEADERS[unit].split(",")
    return ",".join(cells.get(name) or stamp(unit, at_ms, chance) for name in names)


def text(seed: int, unit: str, odd: float, rows: int) -> str:
    chance = random.Random(seed)
    lines: list[str] = []
    at_ms = T0
    for _ in range(rows):
        lines.append(line(unit, at_ms, chance, odd))
        at_ms += 60_000 * chance.choice([1, 1, 1, 1, 2, 61])
        if chance.random() < odd / 20:
            lines.append("")
    if seed % 3 == 0:
        lines.reverse()
    return "\n".join([HEADERS[unit], *lines, ""])


@pytest.mark.parametrize("unit", HEADERS)
@pytest.mark.parametrize("odd", [0.0, 0.05, 0.7])
def test_usual_and_odd_lines_read_alike_both_ways(unit: str, odd: float) -> None:
    for seed in range(6):
        content = text(seed, unit, odd, 400)
        general = read(content, fast=False)
        assert general[0] != "refused", general
        assert read(content, fast=True) == general
        assert read(content, fast=True, block=700) == general


@pytest.mark.parametrize("tick", ["0.01", "0.001", "0.05", "10", "0.00000001"])
def test_a_given_tick_reads_alike_both_ways(tick: str) -> None:
    given_tick = Decimal(tick)
    prices = [f"{given_tick * n:f}" for n in (977, 1_000, 1_040, 88_000)]
    rows = "".join(
        f"{T0 + 60_000 * i},{p},{prices[-1]},{prices[0]},{p},{i}.25\n"
        for i, p in enumerate(prices * 9)
    )
    content = HEADERS["ms"] + "\n" + rows
    general = read(content, fast=False, tick=given_tick)
    assert general[0] != "refused", general
    assert read(content, fast=True, tick=given_tick) == general
    off = (
        content + f"{T0 + 60_000_000},{Decimal(prices[0]) + given_tick / 2:f},{prices[-1]},1,1,1\n"
    )
    assert read(off, fast=True, tick=given_tick) == read(off, fast=False, tick=given_tick)


@settings(deadline=None, max_examples=300)
@given(
    seed=st.integers(0, 40),
    unit=st.sampled_from(sorted(HEADERS)),
    hits=st.lists(
        st.tuples(
            st.floats(0, 0.999), st.integers(0, 3), st.sampled_from(list('0123456789,.\n"- eT:+Z'))
        ),
        min_size=1,
        max_size=3,
    ),
)
def test_garbled_text_is_read_or_refused_alike_both_ways(
    seed: int, unit: str, hits: list[tuple[float, int, str]]
) -> None:
    content = text(seed, unit, 0.02, 40)
    begin = content.index("\n") + 1
    for place, span, put in hits:
        at = begin + int((len(content) - begin - 1) * place)
        content = content[:at] + put + content[at + span :]
    content = content if content.endswith("\n") else content + "\n"
    one, other = read(content, fast=True), read(content, fast=False)
    # Two prices that no scale holds are found when the second is read, which other columns and
    # lines may come before.
    if any(told[0] == "refused" and " fit in " in str(told[1]) for told in (one, other)):
        one, other = one[:1], other[:1]
    assert one == other


def test_a_usual_file_needs_the_general_way_for_its_first_lines_only() -> None:
    content = text(1, "ms", 0.0, 3_000).encode()
    part = Part(Path("bars.csv"), "", "text", "")
    header = header_for(part, content)
    reader = RowReader(part, header, None, fast=True)
    body = past_header(header, content)
    first = body.find(b"\n", 600) + 1
    reader.take(body[:first])
    fast = fast_of(header, reader.stamps, reader.ticks, "")
    assert fast is not None
    fast.text.digits = fast.digits_of(reader.ticks)
    count = fast.text.read(body, first, fast.prices, fast.volume)
    assert count + len(reader.open_ms) == 3_000
    assert fast.text.at == len(body)


@settings(deadline=None, max_examples=150)
@given(
    seed=st.integers(0, 10**6),
    digits=st.integers(0, 10),
    form=st.sampled_from([".15g", ".16g", ".17g", ".18f", ".12f", "r"]),
)
def test_shadows_are_snapped_alike_both_ways(seed: int, digits: int, form: str) -> None:
    chance = random.Random(seed)
    rows: list[str] = []
    for i in range(60):
        values = sorted(
            chance.randrange(1, 10 ** chance.randint(1, 14)) / 10**digits for _ in range(4)
        )
        low, opened, close, high = (
            repr(value) if form == "r" else format(value, form) for value in values
        )
        rows.append(f"{T0 + i * 60_000},{opened},{high},{low},{close},{values[0]!r}")
    content = "\n".join([HEADERS["ms"], *rows, ""])
    assert read(content, fast=True) == read(content, fast=False)
    tick = Decimal(1).scaleb(-digits)
    assert read(content, fast=True, tick=tick) == read(content, fast=False, tick=tick)
