"""Honest strategy files for `no_lookahead.py`: what people write who keep to the contract.

Lives here: texts. Must not live here: the check.
"""

from __future__ import annotations

from strategy_samples import CROSS, sample

HONEST = (
    sample("average_cross", "", CROSS),
    sample("average_cross_to_the_row", "", CROSS, warmup="30"),
    sample("breakout", "", """
        top = [max(bars.high[i - 20:i]) if i >= 20 else NAN for i in range(n)]
        low = [min(bars.low[i - 10:i]) if i >= 10 else NAN for i in range(n)]
        enter = [i > 0 and c[i] > top[i] and not c[i - 1] > top[i - 1] for i in range(n)]
        leave = [x < y for x, y in zip(c, low)]
    """, warmup="21"),
    sample("fading_by_hand", "", """
        def ema(x, k):
            out, value = [], x[0]
            for price in x:
                value += (price - value) * 2 / (k + 1)
                out.append(value)
            return out
        fast, slow = ema(c, 8), ema(c, 21)
        enter = [i > 0 and fast[i] > slow[i] and fast[i - 1] <= slow[i - 1] for i in range(n)]
        leave = [f < s for f, s in zip(fast, slow)]
    """, warmup="231"),
    sample("rsi_by_hand", "", """
        up = down = 0.0
        score = []
        for i in range(n):
            move = c[i] - c[i - 1] if i else 0.0
            up += (max(move, 0.0) - up) / 14
            down += (max(-move, 0.0) - down) / 14
            score.append(100 * up / (up + down) if up + down > 1e-12 * c[i] else 50.0)
        enter = [i > 0 and score[i] < 30 <= score[i - 1] for i in range(n)]
        leave = [s > 60 for s in score]
    """, warmup="180"),
    sample("closed_blocks_only", "", """
        step = min(b - a for a, b in zip(bars.open_ms, bars.open_ms[1:]))
        block, ends, known = 4 * step, [], {}
        newest = NAN
        for at, x in zip(bars.open_ms, c):
            if at % block == block - step:
                newest = x
            ends.append(newest)
        m = mean(c, 20)
        enter = [i > 0 and ends[i] > m[i] and not ends[i - 1] > m[i - 1] for i in range(n)]
        leave = [e < x for e, x in zip(ends, m)]
    """, warmup="40"),
    sample("day_so_far", "", """
        day, top, low, so_far = None, 0.0, 0.0, []
        for i, at in enumerate(bars.open_ms):
            if at // 86_400_000 != day:
                day, top, low = at // 86_400_000, bars.high[i], bars.low[i]
            top, low = max(top, bars.high[i]), min(low, bars.low[i])
            so_far.append((c[i] - low) / (top - low) if top > low else 0.5)
        enter = [x > 0.8 for x in so_far]
        leave = [x < 0.2 for x in so_far]
    """),
    sample("day_vwap", "", """
        day, paid, volume, vwap = None, 0.0, 0.0, []
        for i, at in enumerate(bars.open_ms):
            if at // 86_400_000 != day:
                day, paid, volume = at // 86_400_000, 0.0, 0.0
            paid += c[i] * bars.volume[i]
            volume += bars.volume[i]
            vwap.append(paid / volume if volume > 0.0 else c[i])
        enter = [i > 0 and c[i] > vwap[i] and c[i - 1] <= vwap[i - 1] for i in range(n)]
        leave = [x < v for x, v in zip(c, vwap)]
    """),
    sample("hours_of_the_bar", "", CROSS, """
        enter = [x and 8 <= at // 3_600_000 % 24 < 20 for x, at in zip(enter, bars.open_ms)]
    """),
    sample("confirmed_pivots", "", """
        low = bars.low
        enter = [i >= 6 and low[i - 3] == min(low[i - 6:i + 1]) for i in range(n)]
        leave = [i >= 6 and bars.high[i - 3] == max(bars.high[i - 6:i + 1]) for i in range(n)]
    """, warmup="14"),
    sample("running_sums", "", """
        sums = [0.0]
        for x in c:
            sums.append(sums[-1] + x)
        m = [(sums[i + 1] - sums[i - 19]) / 20 if i >= 19 else NAN for i in range(n)]
        enter = [i > 0 and c[i] > m[i] and not c[i - 1] > m[i - 1] for i in range(n)]
        leave = [not x > y for x, y in zip(c, m)]
    """, warmup="21"),
    sample("rolling_zscore", "", """
        m = mean(c, 20)
        width = [
            (sum((x - m[i]) ** 2 for x in c[i - 19:i + 1]) / 20) ** 0.5 if i >= 19 else NAN
            for i in range(n)
        ]
        z = [(x - y) / w if w > 1e-9 * x else 0.0 for x, y, w in zip(c, m, width)]
        enter = [i > 0 and z[i] < -1.5 <= z[i - 1] for i in range(n)]
        leave = [x > 0.0 for x in z]
    """, warmup="21"),
    sample("seeded_chance", "", CROSS, """
        chance = random.Random(7)
        weights = [chance.random() for _ in range(10)]
        blend = [
            sum(w * x for w, x in zip(weights, c[i - 9:i + 1])) / sum(weights) if i > 8 else NAN
            for i in range(n)
        ]
        leave = [x < y for x, y in zip(c, blend)]
    """, top="import random"),
    sample("strength_and_target", "", CROSS, end=(
        '    wide = spans(bars, 14)\n'
        '    power = [min(1.0, abs(f / s - 1.0) * 50) if f == f and s == s else NAN'
        ' for f, s in zip(fast, slow)]\n'
        '    return {"enter": enter, "exit": leave, "stop": [2 * w for w in wide],'
        ' "strength": power, "target": [4 * w for w in wide]}\n'
    )),
    sample("pure_cache", "", """
        @functools.lru_cache(maxsize=None)
        def weight(k, i):
            return (k - i) / (k * (k + 1) / 2)
        w = [
            sum(weight(20, j) * c[i - j] for j in range(20)) if i >= 19 else NAN for i in range(n)
        ]
        enter = [i > 0 and c[i] > w[i] and not c[i - 1] > w[i - 1] for i in range(n)]
        leave = [x < y for x, y in zip(c, w)]
    """, warmup="22", top="import functools"),
)  # fmt: skip
