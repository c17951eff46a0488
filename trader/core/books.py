"""Books: what each strategy holds and has made inside the account, as records.

Lives here: the rows of a strategy's book and of its holding of one instrument, in core integers.
Together the books are the account: their cash flows sum to its cash less its capital, their
holdings to its positions, to the last unit. Only `fold` changes them (by `bookkeeping`). Must not
live here: what a fact means for them.
"""

from __future__ import annotations

Row = dict[str, int | str]


class Book:
    """One strategy's results inside the account.

    `cash_units`: cash that its fills brought, less what they cost, fees in cash taken off;
    `fees_units` those fees; `fills` how many. `realised_units`: cash result of what it sold.
    `result_units`: cash flow and holdings at their marks, as the newest plan told it;
    `high_units` the highest such result (0 at the start), `drawdown_units` the deepest that it fell
    below its high; `stopped` is 1 from when that reached its limit. `off_why`: "" or why its code
    is not asked any more; `shadow_why`: "" or why it only watches.

    `wins`, `losses`: positions that were closed with a gain, and all others; `won_ppm`, `lost_ppm`
    the sums of their gains and losses, each in millionths of what its entries bought (0 or more).
    `entries_filled`: entries that filled at least in part; `attended`: how many there were when a
    named human last looked. `first_day`: the day of its first fill, `judged_day`: from which day on
    its quality counts, -1 for all of them; `quality_day`: the day at whose first decision these
    were measured (-1: never): `quality_days` settled days, their `sharpe_milli` and, of `weeks`
    with a result, those with a gain in millionths, `weeks_ppm`.
    """

    __slots__ = (
        "attended",
        "cash_units",
        "drawdown_units",
        "entries_filled",
        "fees_units",
        "fills",
        "first_day",
        "high_units",
        "judged_day",
        "losses",
        "lost_ppm",
        "off_why",
        "quality_day",
        "quality_days",
        "realised_units",
        "result_units",
        "shadow_why",
        "sharpe_milli",
        "stopped",
        "strategy",
        "weeks",
        "weeks_ppm",
        "wins",
        "won_ppm",
    )

    def __init__(self, row: Row) -> None:
        """From a canonical row (see `row`)."""
        self.strategy = str(row["strategy"])
        self.cash_units = int(row.get("cash_units", 0))
        self.fees_units = int(row.get("fees_units", 0))
        self.fills = int(row.get("fills", 0))
        self.realised_units = int(row.get("realised_units", 0))
        self.result_units = int(row.get("result_units", 0))
        self.high_units = int(row.get("high_units", 0))
        self.drawdown_units = int(row.get("drawdown_units", 0))
        self.off_why = str(row.get("off_why", ""))
        self.shadow_why = str(row.get("shadow_why", ""))
        self.stopped = int(row.get("stopped", 0))
        self.wins = int(row.get("wins", 0))
        self.losses = int(row.get("losses", 0))
        self.won_ppm = int(row.get("won_ppm", 0))
        self.lost_ppm = int(row.get("lost_ppm", 0))
        self.entries_filled = int(row.get("entries_filled", 0))
        self.attended = int(row.get("attended", 0))
        self.first_day = int(row.get("first_day", -1))
        self.judged_day = int(row.get("judged_day", -1))
        self.quality_day = int(row.get("quality_day", -1))
        self.quality_days = int(row.get("quality_days", 0))
        self.sharpe_milli = int(row.get("sharpe_milli", 0))
        self.weeks = int(row.get("weeks", 0))
        self.weeks_ppm = int(row.get("weeks_ppm", 0))

    def row(self) -> Row:
        """Canonical row: projection table `books`, key `strategy`."""
        return {name: getattr(self, name) for name in self.__slots__}


class Holding:
    """Coins of one instrument that one strategy bought and has not sold, and what they cost.

    `qty_units` base units (its fills less fees taken in the base coin), `cost_units` cash paid for
    them. What is too little to be sold stays with the strategy that left it; `dust_units`: how much
    of it a plan has declared dust, 0 when what is held has changed since.
    """

    __slots__ = ("cost_units", "dust_units", "key", "qty_units", "strategy", "symbol")

    def __init__(self, row: Row) -> None:
        """From a canonical row (see `row`)."""
        self.key = str(row["key"])
        self.strategy, _, self.symbol = self.key.partition("|")
        self.qty_units = int(row.get("qty_units", 0))
        self.cost_units = int(row.get("cost_units", 0))
        self.dust_units = int(row.get("dust_units", 0))

    @property
    def is_dust(self) -> bool:
        """Whether a plan has declared what is held dust."""
        return 0 < self.qty_units <= self.dust_units

    def row(self) -> Row:
        """Canonical row: projection table `holdings`, key `strategy|symbol`."""
        names = ("key", "qty_units", "cost_units", "dust_units")
        return {name: getattr(self, name) for name in names}


def holding_key(strategy: str, symbol: str) -> str:
    """The key of a strategy's holding of an instrument."""
    return f"{strategy}|{symbol}"
