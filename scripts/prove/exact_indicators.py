"""Every indicator once more, from its definition, in exact fractions.

Lives here: `EXACT`, name -> function of columns (lists of Fraction; open_ms: int) and numbers that
gives one list per output, None where there is no number. Each window is read anew, nothing is
carried that the definition does not carry. Shares no code with the package. Must not live here:
speed, and what a difference means.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import pairwise
from typing import Any

F = Fraction
Row = Fraction | None
Line = list[Row]
Columns = dict[str, Any]

WEEK_MS = 604_800_000
MONDAY_MS = 345_600_000  # the epoch was a Thursday; weeks begin on Monday


def windows(x: Sequence[Any], n: int, of: Callable[[Sequence[Any]], Row]) -> Line:
    """`of` every n rows; None before."""
    return [of(x[i - n + 1 : i + 1]) if i >= n - 1 else None for i in range(len(x))]


def mean(x: Sequence[Fraction]) -> Fraction:
    """Arithmetic mean."""
    return sum(x, F(0)) / len(x)


def root(value: Fraction) -> Fraction:
    """Square root to 60 digits."""
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(value.numerator) / Decimal(value.denominator)
        return F(exact.sqrt())


def variance(x: Sequence[Fraction]) -> Fraction:
    """Population variance."""
    middle = mean(x)
    return mean([(value - middle) ** 2 for value in x])


def faded(x: Sequence[Row], n: int, weight: Fraction, first: int) -> Line:
    """Average v + (x - v) * weight, first the mean of the n values up to row `first`."""
    out: Line = [None] * len(x)
    level = F(0)
    for i in range(first, len(x)):
        value = x[i]
        assert value is not None
        if i == first:
            level = mean([v for v in x[first - n + 1 : first + 1] if v is not None])
        else:
            level += (value - level) * weight
        out[i] = level
    return out


def ema(x: Sequence[Row], n: int, first: int) -> Line:
    """Exponential average whose first value is on row `first`."""
    return faded(x, n, F(2, n + 1), first)


def wma(x: Sequence[Fraction]) -> Fraction:
    """Weights 1 .. n."""
    return sum((k * value for k, value in enumerate(x, 1)), F(0)) / (len(x) * (len(x) + 1) // 2)


def hma(x: Line, n: int) -> Line:
    """Hull."""
    half, short = max(n // 2, 1), int(root(F(n)))
    quick, calm = windows(x, half, wma), windows(x, n, wma)
    raw = [2 * (a or 0) - b for a, b in zip(quick, calm, strict=True) if b is not None]
    return [None] * (len(x) - len(raw)) + windows(raw, short, wma)


def typical(c: Columns) -> list[Fraction]:
    """Mean of high, low and close."""
    return [(h + lo + cl) / 3 for h, lo, cl in zip(c["high"], c["low"], c["close"], strict=True)]


def ranges(c: Columns) -> Line:
    """True ranges."""
    out: Line = [None]
    for i in range(1, len(c["close"])):
        before = c["close"][i - 1]
        out.append(max(c["high"][i], before) - min(c["low"][i], before))
    return out[: len(c["close"])]


def atr(c: Columns, n: int) -> Line:
    """Average true range."""
    return faded(ranges(c), n, F(1, n), n)


def rsi(x: Line, n: int) -> Line:
    """Relative strength."""
    steps = [None, *(b - a for a, b in pairwise(x))]
    up = faded([None if s is None else max(s, F(0)) for s in steps], n, F(1, n), n)
    down = faded([None if s is None else max(-s, F(0)) for s in steps], n, F(1, n), n)
    out: Line = []
    for gain, loss in zip(up, down, strict=True):
        if gain is None or loss is None:
            out.append(None)
        else:
            out.append(100 * gain / (gain + loss) if gain + loss else F(50))
    return out


def macd(x: Line, fast: int, slow: int, signal: int) -> list[Line]:
    """All lines from the signal's first row on."""
    quick, calm = ema(x, fast, slow - 1), ema(x, slow, slow - 1)
    line = [None if a is None or b is None else a - b for a, b in zip(quick, calm, strict=True)]
    trigger = ema(line, signal, slow + signal - 2)
    kept = [a if b is not None else None for a, b in zip(line, trigger, strict=True)]
    hist = [None if a is None or b is None else a - b for a, b in zip(kept, trigger, strict=True)]
    return [kept, trigger, hist]


def ppo(x: Line, fast: int, slow: int) -> Line:
    """In percent of the slow average."""
    quick, calm = ema(x, fast, fast - 1), ema(x, slow, slow - 1)
    return [100 * (a - b) / b if a and b else None for a, b in zip(quick, calm, strict=True)]


def band(x: Sequence[Fraction], low: Sequence[Fraction], close: Fraction) -> Row:
    """Place of a close within a range, 0 .. 100."""
    top, bottom = max(x), min(low)
    return 100 * (close - bottom) / (top - bottom) if top != bottom else F(50)


def stoch(c: Columns, n: int, smooth: int, signal: int) -> list[Line]:
    """Both lines from the second one's first row on."""
    high, low, close = c["high"], c["low"], c["close"]
    spans = [slice(i - n + 1, i + 1) for i in range(len(close))]
    raw = [band(high[s], low[s], close[i]) for i, s in enumerate(spans) if i >= n - 1]
    quick = [v for v in windows(raw, smooth, mean) if v is not None]
    calm = windows(quick, signal, mean)
    k = [a if b is not None else None for a, b in zip(quick, calm, strict=True)]
    head: Line = [None] * (len(close) - len(k))
    return [head + k, head + calm]


def cci(c: Columns, n: int) -> Line:
    """Mean distance."""

    def one(x: Sequence[Fraction]) -> Fraction:
        middle = mean(x)
        spread = mean([abs(value - middle) for value in x])
        return (x[-1] - middle) / (F(15, 1000) * spread) if spread else F(0)

    return windows(typical(c), n, one)


def mfi(c: Columns, n: int) -> Line:
    """Flows of the last n rows that have a row before them."""
    price = typical(c)
    flows = [
        (price[i] > price[i - 1]) - (price[i] < price[i - 1]) for i in range(1, len(price))
    ]  # fmt: skip
    paid = [sign * price[i] * c["volume"][i] for i, sign in enumerate(flows, 1)]

    def one(x: Sequence[Fraction]) -> Fraction:
        whole = sum((abs(v) for v in x), F(0))
        return 100 * sum((v for v in x if v > 0), F(0)) / whole if whole else F(50)

    return [None, *windows(paid, n, one)][: len(price)]


def moved(c: Columns) -> tuple[Line, Line, Line]:
    """Rises, falls and true ranges of rows 1 on."""
    up: Line = [None]
    down: Line = [None]
    for i in range(1, len(c["high"])):
        rise = c["high"][i] - c["high"][i - 1]
        fall = c["low"][i - 1] - c["low"][i]
        up.append(rise if rise > 0 and rise > fall else F(0))
        down.append(fall if fall > 0 and fall > rise else F(0))
    return up, down, ranges(c)


def wilder_sum(x: Line, n: int) -> Line:
    """Sum of n - 1 rows, then s - s / n + value."""
    out: Line = [None] * len(x)
    total = F(0)
    for i in range(1, len(x)):
        total = total - (total / n if i >= n else 0) + (x[i] or F(0))
        out[i] = total if i >= n else None
    return out


def directions(c: Columns, n: int) -> tuple[Line, Line]:
    """Plus and minus directional index."""
    up, down, span = (wilder_sum(line, n) for line in moved(c))

    def part(line: Line) -> Line:
        pairs = zip(line, span, strict=True)
        return [None if a is None or b is None else 100 * a / b if b else F(0) for a, b in pairs]

    return part(up), part(down)


def adx(c: Columns, n: int) -> Line:
    """Average of the distance in percent of the sum."""
    one: Line = []
    for plus, minus in zip(*directions(c, n), strict=True):
        if plus is None or minus is None:
            one.append(None)
        else:
            one.append(100 * abs(plus - minus) / (plus + minus) if plus + minus else F(0))
    return faded(one, n, F(1, n), 2 * n - 1)


def psar(c: Columns, step: Fraction, most: Fraction) -> Line:
    """Wilder's rules, as TA-Lib begins them."""
    high, low = c["high"], c["low"]
    out: Line = [None] * len(high)
    if len(high) < 2:
        return out
    up = not (low[0] - low[1] > 0 and low[0] - low[1] > high[1] - high[0])
    stand, extreme, speed = (low[0], high[1], step) if up else (high[0], low[1], step)
    for i in range(1, len(high)):
        tops = high[max(i - 1, 1) : i + 1]
        bottoms = low[max(i - 1, 1) : i + 1]
        if low[i] <= stand if up else high[i] >= stand:
            up = not up
            stand = min(extreme, *bottoms) if up else max(extreme, *tops)
            extreme, speed = high[i] if up else low[i], step
            out[i] = stand
        else:
            out[i] = stand
            if high[i] > extreme if up else low[i] < extreme:
                extreme, speed = high[i] if up else low[i], min(speed + step, most)
        stand += speed * (extreme - stand)
        stand = min(stand, *bottoms) if up else max(stand, *tops)
    return out


def supertrend(c: Columns, n: int, k: Fraction) -> list[Line]:
    """Two bands that move towards the price until a close crosses them."""
    line: Line = [None] * len(c["close"])
    direction: Line = [None] * len(line)
    upper = lower = before = F(0)
    up = True
    for i, span in enumerate(atr(c, n)):
        close = c["close"][i]
        if span is not None:
            middle = (c["high"][i] + c["low"][i]) / 2
            top, bottom = middle + k * span, middle - k * span
            if i == n:
                upper, lower = top, bottom
            upper = top if top < upper or before > upper else upper
            lower = bottom if bottom > lower or before < lower else lower
            if i > n:
                up = not close < lower if up else close > upper
            line[i], direction[i] = (lower, F(1)) if up else (upper, F(-1))
        before = close
    return [line, direction]


def heikin_ashi(c: Columns) -> list[Line]:
    """Averaged candles."""
    rows: list[list[Row]] = []
    begin = end = F(0)
    for o, h, lo, cl in zip(c["open"], c["high"], c["low"], c["close"], strict=True):
        begin = (begin + end) / 2 if rows else (o + cl) / 2
        end = (o + h + lo + cl) / 4
        rows.append([begin, max(h, begin, end), min(lo, begin, end), end])
    return [list(line) for line in zip(*rows, strict=True)]


def middles(c: Columns, n: int) -> Line:
    """Middle of the highest high and the lowest low."""
    pairs = zip(windows(c["high"], n, max), windows(c["low"], n, min), strict=True)
    return [None if a is None or b is None else (a + b) / 2 for a, b in pairs]


def ichimoku(c: Columns, conversion: int, base: int, span: int) -> list[Line]:
    """The spans are drawn `base` rows later than they are computed."""
    quick, calm, slow = middles(c, conversion), middles(c, base), middles(c, span)
    first = [
        None if a is None or b is None else (a + b) / 2 for a, b in zip(quick, calm, strict=True)
    ]
    rows = len(quick)
    return [quick, calm, ([None] * base + first)[:rows], ([None] * base + slow)[:rows]]


def aroon(c: Columns, n: int) -> list[Line]:
    """Rows since the newest extreme."""

    def since(x: Sequence[Fraction], best: Fraction) -> Fraction:
        return F(100 * (n - list(reversed(x)).index(best)), n)

    down = windows(c["low"], n + 1, lambda x: since(x, min(x)))
    return [down, windows(c["high"], n + 1, lambda x: since(x, max(x)))]


def line_of(x: Sequence[Fraction]) -> tuple[Fraction, Fraction]:
    """Slope and newest value of the least-squares line."""
    rows = [F(i) for i in range(len(x))]
    middle, height = mean(rows), mean(x)
    above = sum(((r - middle) * (v - height) for r, v in zip(rows, x, strict=True)), F(0))
    slope = above / sum(((r - middle) ** 2 for r in rows), F(0))
    return slope, height + slope * (rows[-1] - middle)


def correlation(x: Sequence[tuple[Fraction, Fraction]]) -> Fraction:
    """Pearson."""
    a, b = [p for p, _ in x], [q for _, q in x]
    spread = variance(a) * variance(b)
    if not spread:
        return F(0)
    return (mean([p * q for p, q in x]) - mean(a) * mean(b)) / root(spread)


def bbands(x: Line, n: int, k: Fraction) -> list[Line]:
    """Mean and deviations."""
    middle = windows(x, n, mean)
    reach = windows(x, n, lambda w: k * root(variance(w)))
    pairs = list(zip(middle, reach, strict=True))
    over = [None if m is None or r is None else m + r for m, r in pairs]
    return [over, middle, [None if m is None or r is None else m - r for m, r in pairs]]


def keltner(c: Columns, n: int, span: int, k: Fraction) -> list[Line]:
    """Both averages begin on one row."""
    first = max(n - 1, span)
    middle = ema(typical(c), n, first)
    pairs = list(zip(middle, faded(ranges(c), span, F(1, span), first), strict=True))
    over = [None if m is None or r is None else m + k * r for m, r in pairs]
    return [over, middle, [None if m is None or r is None else m - k * r for m, r in pairs]]


def zscore(x: Sequence[Fraction]) -> Fraction:
    """Standard score of the newest."""
    spread = variance(x)
    return (x[-1] - mean(x)) / root(spread) if spread else F(0)


def weighed(c: Columns, n: int) -> Line:
    """Average typical price by volume."""

    def one(x: Sequence[tuple[Fraction, Fraction]]) -> Row:
        weight = sum((v for _, v in x), F(0))
        return sum((p * v for p, v in x), F(0)) / weight if weight else None

    return windows(list(zip(typical(c), c["volume"], strict=True)), n, one)


def cmf(c: Columns, n: int) -> Line:
    """Chaikin's flow."""
    flows: list[tuple[Fraction, Fraction]] = []
    for h, lo, cl, v in zip(c["high"], c["low"], c["close"], c["volume"], strict=True):
        flows.append((((cl - lo) - (h - cl)) / (h - lo) * v if h > lo else F(0), v))

    def one(x: Sequence[tuple[Fraction, Fraction]]) -> Row:
        weight = sum((v for _, v in x), F(0))
        return sum((f for f, _ in x), F(0)) / weight if weight else F(0)

    return windows(flows, n, one)


def obv(c: Columns) -> Line:
    """Signed volumes, the first row's included."""
    out: Line = []
    total = F(0)
    close = c["close"]
    for i, volume in enumerate(c["volume"]):
        sign = 1 if i == 0 else (close[i] > close[i - 1]) - (close[i] < close[i - 1])
        total += sign * volume
        out.append(total)
    return out


def by_session(c: Columns, session_ms: int, of: Callable[[Columns], list[Line]]) -> list[Line]:
    """`of` each session's rows alone; None until a session begins."""
    origin = MONDAY_MS if session_ms % WEEK_MS == 0 else 0
    numbers = [(at - origin) // session_ms for at in c["open_ms"]]
    out: list[Line] = []
    i = 0
    while i < len(numbers):
        end = i
        while end < len(numbers) and numbers[end] == numbers[i]:
            end += 1
        lines = of({name: column[i:end] for name, column in c.items()})
        if i == 0 and (c["open_ms"][0] - origin) % session_ms:
            lines = [[None] * len(line) for line in lines]
        out = [old + new for old, new in zip(out, lines, strict=True)] if out else lines
        i = end
    return out


EXACT: dict[str, Callable[..., list[Line]]] = {
    "sma": lambda c, n: [windows(c["x"], n, mean)],
    "ema": lambda c, n: [ema(c["x"], n, n - 1)],
    "wma": lambda c, n: [windows(c["x"], n, wma)],
    "rma": lambda c, n: [faded(c["x"], n, F(1, n), n - 1)],
    "hma": lambda c, n: [hma(c["x"], n)],
    "rsi": lambda c, n: [rsi(c["x"], n)],
    "cci": lambda c, n: [cci(c, n)],
    "mfi": lambda c, n: [mfi(c, n)],
    "roc": lambda c, n: [windows(c["x"], n + 1, lambda w: 100 * (w[-1] / w[0] - 1))],
    "momentum": lambda c, n: [windows(c["x"], n + 1, lambda w: w[-1] - w[0])],
    "macd": lambda c, *n: macd(c["x"], *n),
    "ppo": lambda c, *n: [ppo(c["x"], *n)],
    "true_range": lambda c: [ranges(c)],
    "atr": lambda c, n: [atr(c, n)],
    "natr": lambda c, n: [
        [None if a is None else 100 * a / b for a, b in zip(atr(c, n), c["close"], strict=True)]
    ],
    "keltner": keltner,
    "adx": lambda c, n: [adx(c, n)],
    "plus_di": lambda c, n: [directions(c, n)[0]],
    "minus_di": lambda c, n: [directions(c, n)[1]],
    "psar": lambda c, a, b, s: by_session(c, s, lambda part: [psar(part, a, b)]),
    "supertrend": lambda c, n, k, s: by_session(c, s, lambda part: supertrend(part, n, k)),
    "heikin_ashi": heikin_ashi,
    "highest": lambda c, n: [windows(c["x"], n, max)],
    "lowest": lambda c, n: [windows(c["x"], n, min)],
    "donchian": lambda c, n: [
        windows(c["high"], n, max), middles(c, n), windows(c["low"], n, min),
    ],
    "aroon": aroon,
    "stoch": stoch,
    "williams_r": lambda c, n: [
        [None if v is None else v - 100 for v in stoch(c, n, 1, 1)[0]]
    ],
    "ichimoku": ichimoku,
    "stdev": lambda c, n: [windows(c["x"], n, lambda w: root(variance(w)))],
    "variance": lambda c, n: [windows(c["x"], n, variance)],
    "zscore": lambda c, n: [windows(c["x"], n, zscore)],
    "bbands": lambda c, *n: bbands(c["x"], *n),
    "percentrank": lambda c, n: [
        windows(c["x"], n + 1, lambda w: F(100 * sum(v < w[-1] for v in w), n))
    ],
    "linreg": lambda c, n: [windows(c["x"], n, lambda w: line_of(w)[1])],
    "slope": lambda c, n: [windows(c["x"], n, lambda w: line_of(w)[0])],
    "correlation": lambda c, n: [windows(list(zip(c["x"], c["y"], strict=True)), n, correlation)],
    "obv": lambda c, s: by_session(c, s, lambda part: [obv(part)]),
    "vwap": lambda c, n: [weighed(c, n)],
    "session_vwap": lambda c, s: by_session(
        c, s, lambda part: [[weighed(_head(part, i), i + 1)[-1] for i in range(len(part["close"]))]]
    ),
    "cmf": lambda c, n: [cmf(c, n)],
}  # fmt: skip


def _head(c: Columns, i: int) -> Columns:
    """Rows up to row i."""
    return {name: column[: i + 1] for name, column in c.items()}
