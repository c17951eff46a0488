"""Strategy files for `no_lookahead.py`: what cheats or is sloppy, and what is honest.

Lives here: texts, each with the codes that a check may refuse it with. Must not live here: the
check.
"""

from __future__ import annotations

from dataclasses import dataclass
from textwrap import dedent, indent

AVERAGES = """
def mean(x, n):
    return [sum(x[i - n + 1:i + 1]) / n if i >= n - 1 else NAN for i in range(len(x))]


def spans(bars, n):
    return mean([h - l for h, l in zip(bars.high, bars.low)], n)
"""

RETURN = '    return {"enter": enter, "exit": leave, "stop": [2.0 * s for s in spans(bars, 14)]}\n'


@dataclass(frozen=True)
class Sample:
    """A strategy file: `codes` are the verdicts that are right for it, () when it is honest."""

    name: str
    codes: tuple[str, ...]
    text: str


def sample(
    name: str, codes: str, *parts: str, warmup: str = "60", top: str = "", end: str = RETURN
) -> Sample:
    """A file from the parts of the body of `signals`, which bind `enter` and `leave`."""
    lines = indent("\n".join(dedent(part).strip("\n") for part in parts), "    ")
    text = (
        f'"""{name}."""\n\n{dedent(top)}\nNAN = float("nan")\nPARAMETERS = {{"n": 20}}\n'
        f"{AVERAGES}\n\ndef warmup(p):\n    return {warmup}\n\n\n"
        f"def signals(bars, p):\n    n, c = len(bars), bars.close\n{lines}\n{end}"
    )
    return Sample(name, tuple(codes.split()), text)


# Chance is found out by whichever question it happens to answer in two ways first.
CHANCE = "RANDOM CLOCK HIDDEN_STATE"
CROSS = """
fast, slow = mean(c, 10), mean(c, 30)
enter = [i > 0 and fast[i] > slow[i] and fast[i - 1] <= slow[i - 1] for i in range(n)]
leave = [f < s for f, s in zip(fast, slow)]
"""

AHEAD = [
    sample("next_close", "LOOKS_AHEAD", """
        enter = [i + 1 < n and c[i + 1] > c[i] * 1.004 for i in range(n)]
        leave = [i + 1 < n and c[i + 1] < c[i] for i in range(n)]
    """),
    sample("next_close_padded", "LOOKS_AHEAD", CROSS, """
        enter = [enter[min(i + 1, n - 1)] for i in range(n)]
    """),
    sample("shift_minus_one", "LOOKS_AHEAD", CROSS, """
        leave = leave[1:] + leave[-1:]
    """),
    sample("centred_mean", "LOOKS_AHEAD", """
        middle = [sum(c[max(0, i - 5):i + 6]) / len(c[max(0, i - 5):i + 6]) for i in range(n)]
        enter = [i > 0 and c[i] > middle[i] and c[i - 1] <= middle[i - 1] for i in range(n)]
        leave = [x < m for x, m in zip(c, middle)]
    """),
    sample("global_zscore", "LOOKS_AHEAD", """
        average = sum(c) / n
        width = (sum((x - average) ** 2 for x in c) / n) ** 0.5 or 1.0
        enter = [(x - average) / width < -1.0 for x in c]
        leave = [(x - average) / width > 0.5 for x in c]
    """),
    sample("global_minmax", "LOOKS_AHEAD", """
        low, high = min(c), max(c)
        enter = [x < low + 0.1 * (high - low) for x in c]
        leave = [x > high - 0.1 * (high - low) for x in c]
    """),
    sample("pivot_lows", "LOOKS_AHEAD", """
        low = bars.low
        enter = [3 <= i < n - 3 and low[i] == min(low[i - 3:i + 4]) for i in range(n)]
        leave = [3 <= i < n - 3 and bars.high[i] == max(bars.high[i - 3:i + 4]) for i in range(n)]
    """),
    sample("zigzag", "LOOKS_AHEAD", """
        leg = [0] * n
        turn, up = 0, True
        for i in range(1, n):
            if up and c[i] > c[turn] or not up and c[i] < c[turn]:
                turn = i
            elif abs(c[i] / c[turn] - 1) > 0.01:
                leg[turn] = -1 if up else 1
                turn, up = i, not up
        enter = [x == 1 for x in leg]
        leave = [x == -1 for x in leg]
    """),
    sample("resampled_last", "LOOKS_AHEAD", """
        block = 4 * (bars.open_ms[1] - bars.open_ms[0])
        last = {}
        for at, x in zip(bars.open_ms, c):
            last[at // block] = x
        big = [last[at // block] for at in bars.open_ms]
        enter = [x > 1.004 * y for x, y in zip(big, c)]
        leave = [x < y for x, y in zip(big, c)]
    """, warmup="64"),
    sample("day_high", "LOOKS_AHEAD", """
        high = {}
        for at, x in zip(bars.open_ms, bars.high):
            high[at // 86_400_000] = max(x, high.get(at // 86_400_000, 0.0))
        enter = [x > 0.995 * high[at // 86_400_000] for at, x in zip(bars.open_ms, c)]
        leave = [x < 0.97 * high[at // 86_400_000] for at, x in zip(bars.open_ms, c)]
    """),
    sample("backward_fill", "LOOKS_AHEAD", CROSS, """
        filled, after = [], 0.0
        for x in reversed([v if v > 1.002 * w else NAN for v, w in zip(c, mean(c, 5))]):
            after = x if x == x else after
            filled.append(after)
        enter = [x == y for x, y in zip(reversed(filled), c)]
    """),
    sample("best_of_the_window", "LOOKS_AHEAD", """
        def gain(k):
            m = mean(c, k)
            return sum(c[i + 1] - c[i] for i in range(k, n - 1) if c[i] > m[i])
        k = max((5, 10, 20), key=gain)
        m = mean(c, k)
        enter = [x > y for x, y in zip(c, m)]
        leave = [x < y for x, y in zip(c, m)]
    """),
    sample("only_the_newest", "LOOKS_AHEAD", CROSS, """
        enter = [i == n - 1 and c[i] > c[i - 1] for i in range(n)]
    """),
    sample("smoothed_both_ways", "LOOKS_AHEAD", """
        smooth = list(c)
        for i in range(1, n):
            smooth[i] += 0.8 * (smooth[i - 1] - smooth[i])
        for i in range(n - 2, -1, -1):
            smooth[i] += 0.8 * (smooth[i + 1] - smooth[i])
        enter = [i > 0 and smooth[i] > smooth[i - 1] for i in range(n)]
        leave = [not x for x in enter]
    """),
    sample("stop_of_the_next_bar", "LOOKS_AHEAD", CROSS, end=(
        '    return {"enter": enter, "exit": leave,'
        ' "stop": [c[i] - bars.low[min(i + 1, n - 1)] + 1e-9 for i in range(n)]}\n'
    )),
    sample("time_until_the_next_bar", "LOOKS_AHEAD", CROSS, """
        at = bars.open_ms
        step = min(b - a for a, b in zip(at, at[1:]))
        leave = [i + 1 < n and at[i + 1] - at[i] > 2 * step for i in range(n)]
    """),
]  # fmt: skip

HISTORY = [
    sample("warmup_one_short", "WARMUP_SHORT", CROSS, warmup="29"),
    sample("no_warmup", "WARMUP_SHORT HISTORY_LENGTH", CROSS, warmup="0"),
    sample("fading_average", "WARMUP_SHORT", """
        ema = list(c)
        for i in range(1, n):
            ema[i] = ema[i - 1] + (c[i] - ema[i - 1]) * 2 / 51
        enter = [i > 0 and c[i] > ema[i] and c[i - 1] <= ema[i - 1] for i in range(n)]
        leave = [x < e for x, e in zip(c, ema)]
    """, warmup="50"),
    sample("sum_since_start", "HISTORY_LENGTH WARMUP_SHORT", """
        flow, total = [], 0.0
        for i in range(n):
            total += bars.volume[i] * (1 if i and c[i] > c[i - 1] else -1)
            flow.append(total)
        enter = [f > 0 for f in flow]
        leave = [f < 0 for f in flow]
    """),
    sample("highest_since_start", "HISTORY_LENGTH WARMUP_SHORT", """
        best, top = [], 0.0
        for x in bars.high:
            best.append(top)
            top = max(top, x)
        enter = [x > b for x, b in zip(c, best)]
        leave = [x < 0.95 * b for x, b in zip(c, best)]
    """),
    sample("every_third_row", "HISTORY_LENGTH WARMUP_SHORT", CROSS, """
        enter = [i % 3 == 0 for i in range(n)]
    """),
    sample("holds_until_told", "HISTORY_LENGTH WARMUP_SHORT", CROSS, """
        inside, leave = False, []
        for i in range(n):
            inside = not inside if i % 7 == 0 else inside
            leave.append(inside and c[i] < slow[i])
    """),
]  # fmt: skip

STATE = [
    sample("counts_calls", "HIDDEN_STATE", CROSS, """
        CALLS.append(1)
        enter = [x and len(CALLS) % 5 != 0 for x in enter]
    """, top="CALLS = []"),
    sample("remembers_the_first", "HIDDEN_STATE", CROSS, """
        SEEN.setdefault("price", c[-1])
        leave = [x < SEEN["price"] for x in c]
    """, top="SEEN = {}"),
    sample("cache_by_time", "HIDDEN_STATE", """
        key = (n, bars.open_ms[-1])
        if key not in KEPT:
            fast, slow = mean(c, 10), mean(c, 30)
            KEPT[key] = [f > s for f, s in zip(fast, slow)]
        enter = KEPT[key]
        leave = [not x for x in enter]
    """, top="KEPT = {}"),
    sample("default_argument", "HIDDEN_STATE", CROSS, """
        def last(x, seen=KEPT):
            seen.append(x)
            return seen[0]
        leave = [x < last(c[-1]) for x in c]
    """, top="KEPT = []"),
    sample("dice", CHANCE, CROSS, """
        enter = [x or random.random() < 0.02 for x in enter]
    """, top="import random"),
    sample("rare_dice", CHANCE, CROSS, """
        if random.random() < 0.002:
            enter = [not x for x in enter]
    """, top="import random"),
    sample("dice_when_loaded", CHANCE, CROSS, """
        leave = [x and i % 50 != LUCKY for i, x in enumerate(leave)]
    """, top="import random\nLUCKY = random.randrange(50)"),
    sample("urandom", f"{CHANCE} REACHES_OUT", CROSS, """
        leave = [x and os.urandom(1)[0] > 20 for x in leave]
    """, top="import os"),
    sample("office_hours", "CLOCK", CROSS, """
        if 8 <= time.gmtime().tm_hour < 20:
            enter = [False] * n
    """, top="import time"),
    sample("weekday", "CLOCK", CROSS, """
        leave = [x or datetime.now().weekday() == 4 for x in leave]
    """, top="from datetime import datetime"),
    sample("stopwatch", "CLOCK RANDOM", CROSS, """
        began = time.perf_counter()
        total = sum(x * x for x in c)
        enter = [x and time.perf_counter() - began < 0.2 for x in enter]
    """, top="import time"),
    sample("time_bomb", "CLOCK", CROSS, """
        if time.time() > 1_900_000_000:
            enter = [True] * n
    """, top="import time"),
    sample("set_order", "HASH_ORDER", CROSS, """
        name = list({"alpha", "beta", "gamma", "delta", "epsilon"})[0]
        k = {"alpha": 3, "beta": 5, "gamma": 7, "delta": 9, "epsilon": 11}[name]
        leave = [i >= k and c[i] < c[i - k] for i in range(n)]
    """),
    sample("file_of_answers", "REACHES_OUT", CROSS, """
        known = open("answers.csv").read()
    """),
    sample("asks_a_server", "REACHES_OUT", CROSS, """
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    """, top="import socket"),
    sample("warmup_by_chance", "WARMUP_INVALID", CROSS,
           warmup="30 + random.randrange(20)", top="import random"),
]  # fmt: skip

BROKEN = [
    sample("raises", "FAILS", CROSS, "enter[n]"),
    sample("writes_to_its_input", "FAILS", CROSS, "bars.close[0] = 1.0"),
    sample("one_row_less", "SHAPE", CROSS, "enter = enter[1:]"),
    sample("prints", "PRINTS", CROSS, "print(enter[-1])"),
    sample("ends_the_process", "LOST", CROSS, "os._exit(0)", top="import os"),
    sample("nothing", "FAILS", "return None"),
]

CHEATS = (*AHEAD, *HISTORY, *STATE, *BROKEN)
