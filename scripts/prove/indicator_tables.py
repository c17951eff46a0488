"""Six bars, and every indicator over them, worked by hand.

Lives here: numbers on paper: `BARS`, and per indicator its numbers and its lines as fractions,
`_` where there is no number. Must not live here: code that computes any of them.
"""

from __future__ import annotations

# open, high, low, close, volume; hours of one day
BARS = (
    (10, 12, 9, 11, 100),
    (11, 14, 10, 13, 200),
    (13, 13, 8, 9, 300),
    (9, 11, 7, 10, 100),
    (10, 16, 10, 15, 400),
    (15, 17, 12, 12, 200),
)
HOUR_MS = 3_600_000
SESSION = "1d"

# Typical prices are 32/3 37/3 10 28/3 41/3 41/3; changes of the close +2 -4 +1 +5 -3; true ranges
# 4 5 4 6 5. Where an indicator takes two sources they are close and volume.
TABLES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    # sums of three closes 33 32 34 37
    ("sma", ("3",), ("_ _ 11 32/3 34/3 37/3",)),
    # weight 1/2 from 11: -1/2, +9/4, -3/8
    ("ema", ("3",), ("_ _ 11 21/2 51/4 99/8",)),
    # (11 + 26 + 27) (13 + 18 + 30) (9 + 20 + 45) (10 + 30 + 36), by 6
    ("wma", ("3",), ("_ _ 32/3 61/6 37/3 38/3",)),
    # weight 1/2 from 12
    ("rma", ("2",), ("_ 12 21/2 41/4 101/8 197/16",)),
    # wma of two 29/3 40/3 13, of four 52/5 121/10 61/5; twice the first less the second: 134/15
    # 437/30 69/5; of these (one + twice the next) / 3
    ("hma", ("4",), ("_ _ _ _ 571/45 253/18",)),
    # gain 1 1 3 3/2, loss 2 1 1/2 7/4
    ("rsi", ("2",), ("_ _ 100/3 50 600/7 600/13",)),
    # means 11 95/9 11 110/9, mean distances 8/9 32/27 16/9 52/27
    ("cci", ("3",), ("_ _ -75 -275/4 100 50",)),
    # flows +7400/3 -3000 -2800/3 +16400/3 0
    ("mfi", ("2",), ("_ _ 1850/41 0 1025/12 100",)),
    ("roc", ("2",), ("_ _ -200/11 -300/13 200/3 20",)),
    ("momentum", ("2",), ("_ _ -2 -3 6 2",)),
    # fast 11 31/3 121/9 337/27 (from the mean of 13 and 9), slow 11 21/2 51/4 99/8
    ("macd", ("2", "3", "2"), (
        "_ _ _ -1/6 25/36 23/216", "_ _ _ -1/12 47/108 35/162", "_ _ _ -1/12 7/27 -71/648",
    )),
    # fast 10 10 40/3 112/9 (from 12, the mean of 11 and 13, a row before), slow as above
    ("ppo", ("2", "3"), ("_ _ -100/11 -100/21 700/153 500/891",)),
    ("true_range", (), ("_ 4 5 4 6 5",)),
    # weight 1/2 from 9/2
    ("atr", ("2",), ("_ _ 9/2 17/4 41/8 81/16",)),
    ("natr", ("2",), ("_ _ 50 85/2 205/6 675/16",)),
    # typical price by 2/3 from 23/2; ranges twice
    ("keltner", ("2", "1", "2"), (
        "_ 39/2 41/2 319/18 1315/54 3763/162", "_ 23/2 21/2 175/18 667/54 2143/162",
        "_ 7/2 1/2 31/18 19/54 523/162",
    )),
    # +dm 2 0 0 5 1, -dm 0 2 1 0 0; sums 2 1 1/2 21/4 29/8, 0 2 2 1 1/2, ranges 4 7 15/2 39/4 79/8
    ("plus_di", ("2",), ("_ _ 100/7 20/3 700/13 2900/79",)),
    ("minus_di", ("2",), ("_ _ 200/7 80/3 400/39 400/79",)),
    # 100/3 60 68 2500/33, averaged by 1/2
    ("adx", ("2",), ("_ _ _ 140/3 172/3 732/11",)),
    # up from 9; 8 touches 10: down from 14, kept above 13; 16 touches 13: up from 7
    ("psar", ("1/2", "1"), ("_ 9 14 14 7 7",)),
    # middles 21/2 9 13 29/2, quarters of the range 9/8 17/16 41/32 81/64; 12 is below 847/64
    ("supertrend", ("2", "1/4"), ("_ _ 75/8 127/16 375/32 1009/64", "_ _ 1 1 1 -1")),
    ("heikin_ashi", (), (
        "21/2 21/2 45/4 11 81/8 183/16", "12 14 13 11 16 17", "9 10 8 7 10 183/16",
        "21/2 12 43/4 37/4 51/4 14",
    )),
    ("highest", ("3",), ("_ _ 13 13 15 15",)),
    ("lowest", ("3",), ("_ _ 9 9 9 10",)),
    ("donchian", ("3",), ("_ _ 14 14 16 17", "_ _ 11 21/2 23/2 12", "_ _ 8 7 7 7")),
    ("aroon", ("2",), ("_ _ 100 100 50 0", "_ _ 50 0 100 100")),
    # raw 50/3 300/7 800/9 50; means of two 625/21 4150/63 625/9; of these
    ("stoch", ("3", "2", "2"), ("_ _ _ _ 4150/63 625/9", "_ _ _ _ 6025/126 8525/126")),
    ("williams_r", ("3",), ("_ _ -250/3 -400/7 -100/9 -50",)),
    # middles of two 23/2 11 10 ..., of three 11 21/2 ...; the spans two rows later
    ("ichimoku", ("1", "2", "3"), (
        "21/2 12 21/2 9 13 29/2", "_ 23/2 11 10 23/2 27/2", "_ _ _ 47/4 43/4 19/2",
        "_ _ _ _ 11 21/2",
    )),
    # half the distance of two neighbours
    ("stdev", ("2",), ("_ 1 2 1/2 5/2 3/2",)),
    # squares of three: 8, 78/9, 186/9, 114/9
    ("variance", ("3",), ("_ _ 8/3 26/9 62/9 38/9",)),
    ("zscore", ("2",), ("_ 1 -1 1 1 -1",)),
    ("bbands", ("2", "2"), ("_ 14 15 21/2 35/2 33/2", "_ 12 11 19/2 25/2 27/2",
                            "_ 10 7 17/2 15/2 21/2")),
    ("percentrank", ("2",), ("_ _ 0 50 100 50",)),
    # of three rows the slope is half of last less first; the line's end is the mean and the slope
    ("linreg", ("3",), ("_ _ 10 55/6 43/3 40/3",)),
    ("slope", ("3",), ("_ _ -1 -3/2 3 1",)),
    # two rows lie on a line
    ("correlation", ("2",), ("_ 1 -1 -1 1 1",)),
    ("obv", (), ("100 300 0 100 500 300",)),
    # flows 3200/3 7400/3 3000 2800/3 16400/3 8200/3
    ("vwap", ("2",), ("_ 106/9 164/15 59/6 64/5 41/3",)),
    ("session_vwap", (), ("32/3 106/9 98/9 32/3 388/33 470/39",)),
    # leanings 1/3 1/2 -3/5 1/2 2/3 -1, flows 100/3 100 -180 50 800/3 -200
    ("cmf", ("2",), ("_ 4/9 -4/25 -13/40 19/30 1/9",)),
)  # fmt: skip
