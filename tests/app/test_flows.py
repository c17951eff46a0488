"""Money that came or went without a fill, as a named human tells it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trader.app.flows import Told, check_flow, record_flow
from trader.core.state import State
from trader.errors import UsageError
from trader.journal.journal import Journal
from trader.journal.rebuild import rebuild

from .test_status import GENESIS

UNIT = 10 ** int(str(GENESIS["cash_digits"]))
CAPITAL = int(str(GENESIS["capital_units"]))
CASH = str(GENESIS["quote"])


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    """Books that have just been opened."""
    with Journal.open(tmp_path / "journal.db", create=True) as opened:
        opened.append("genesis", GENESIS, 1)
        yield opened


def told(journal: Journal, kind: str, amount: str, asset: str = "", flow_id: str = "") -> bool:
    words = Told(kind, amount, asset, flow_id)
    return record_flow(journal, check_flow(journal.state, words, " ann ", " moved ", 7))


def test_a_flow_is_an_entry_that_moves_cash_and_capital(journal: Journal) -> None:
    assert told(journal, "deposit", "250.50", flow_id="t1")
    assert told(journal, "withdrawal", "0.5", flow_id="t2")
    assert told(journal, "fee_coin", "-10")
    after = CAPITAL + 240 * UNIT
    assert (journal.state.cash_units, journal.state.number("capital_units")) == (after, after)
    first, second, third = journal.flows()
    assert (first["flow_id"], first["amount"], first["by"], first["why"]) == (
        "t1",
        "250.5",
        "ann",
        "moved",
    )
    assert (second["amount"], second["units"]) == ("-0.5", -UNIT // 2)
    assert len(str(third["flow_id"])) == 16
    with Journal.open(journal.path, read_only=True) as again:
        assert again.state.cash_units == after
    assert rebuild(journal.path) == []


def test_a_flow_is_booked_once(journal: Journal) -> None:
    assert told(journal, "deposit", "5", flow_id="t1")
    assert not told(journal, "deposit", "5", flow_id="t1")
    assert not told(journal, "deposit", "5.00", flow_id="t1")
    assert journal.state.cash_units == CAPITAL + 5 * UNIT


@pytest.mark.parametrize(("kind", "amount"), [("deposit", "500"), ("reward", "5")])
def test_an_id_that_names_another_flow_is_refused_not_taken_for_it(
    journal: Journal, kind: str, amount: str
) -> None:
    assert told(journal, "deposit", "5", flow_id="t1")
    with pytest.raises(UsageError, match=f"flow t1 is a deposit of 5 {CASH}"):
        told(journal, kind, amount, flow_id="t1")
    assert len(journal.flows()) == 1


def test_coins_are_written_down_and_are_the_owners(journal: Journal) -> None:
    assert told(journal, "reward", "0.25", "BTC")
    assert journal.state.cash_units == CAPITAL
    assert not journal.state.positions
    assert journal.flows()[0]["units"] == 0


# kind, amount, asset, id; what is said
WRONG = [
    ("deposit", "-5", "", "", "contradicts itself"),
    ("withdrawal", "-5", "", "", "contradicts itself"),
    ("deposit", "0", "", "", "no amount"),
    ("deposit", "nan", "", "", "no amount"),
    ("deposit", "1e400000", "", "", "no amount"),
    ("deposit", "five", "", "", "no amount"),
    ("deposits", "5", "", "", "no flow of kind"),
    ("gift", "5", "", "", "no flow of kind"),
    ("deposit", "0.0000000000000001", "", "", "cannot be counted"),
    ("withdrawal", "1000000000", "", "", "more than the program's cash"),
    ("deposit", "5", "", "x" * 65, "is no id"),
    ("deposit", "5", "", "a\nb", "is no id"),
]


@pytest.mark.parametrize(("kind", "amount", "asset", "flow_id", "said"), WRONG)
def test_what_cannot_be_is_refused_by_name(
    journal: Journal, kind: str, amount: str, asset: str, flow_id: str, said: str
) -> None:
    seq = journal.head.seq
    with pytest.raises(UsageError, match=said):
        told(journal, kind, amount, asset, flow_id)
    assert journal.head.seq == seq


def test_only_a_named_human_tells_and_only_of_books_that_are_there(journal: Journal) -> None:
    words = Told("deposit", "5")
    for by, reason in (("", "why"), ("ann", " ")):
        with pytest.raises(UsageError):
            check_flow(journal.state, words, by, reason, 1)
    with pytest.raises(UsageError, match="no books yet"):
        check_flow(State(), words, "ann", "why", 1)
