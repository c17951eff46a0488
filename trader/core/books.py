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
    below its high. `off_why`: "" or why its code is not asked any more.
    """

    __slots__ = (
        "cash_units",
        "drawdown_units",
        "fees_units",
        "fills",
        "high_units",
        "off_why",
        "realised_units",
        "result_units",
        "strategy",
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

    def row(self) -> Row:
        """Canonical row: projection table `books`, key `strategy`."""
        return {name: getattr(self, name) for name in self.__slots__}


class Holding:
    """Coins of one instrument that one strategy bought and has not sold, and what they cost.

    `qty_units` base units (its fills less fees taken in the base coin), `cost_units` cash paid for
    them. What is too little to be sold stays with the strategy that left it.
    """

    __slots__ = ("cost_units", "key", "qty_units", "strategy", "symbol")

    def __init__(self, row: Row) -> None:
        """From a canonical row (see `row`)."""
        self.key = str(row["key"])
        self.strategy, _, self.symbol = self.key.partition("|")
        self.qty_units = int(row.get("qty_units", 0))
        self.cost_units = int(row.get("cost_units", 0))

    def row(self) -> Row:
        """Canonical row: projection table `holdings`, key `strategy|symbol`."""
        return {"key": self.key, "qty_units": self.qty_units, "cost_units": self.cost_units}


def holding_key(strategy: str, symbol: str) -> str:
    """The key of a strategy's holding of an instrument."""
    return f"{strategy}|{symbol}"
