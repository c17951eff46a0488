"""The words of a back-test's model: options, the file, and what is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from trader.app.backtest_model import ModelOptions, Tier
from trader.cli.backtest_options import FILE_ONLY, OPTION_KEYS, read_model
from trader.cli.options import MODEL, OPTIONS
from trader.core.model import Slippage, VolumeCap
from trader.errors import UsageError

from .workspace import Workspace, loads


def test_nothing_said_is_the_default() -> None:
    assert read_model({}) == ModelOptions()
    assert read_model(dict.fromkeys(MODEL, "")) == ModelOptions()


def test_every_option_of_the_model_is_read() -> None:
    told = read_model(
        {
            "spread": "3",
            "slippage": "1.5",
            "impact": "50bps",
            "volume_share": "10%",
            "carry_bars": "4",
            "latency": "2",
            "fee": "7.5",
            "fee_maker": "2",
            "fee_in": "bnb",
            "fee_coin_price": "612.5",
            "stops": "venue",
            "timeframe_detail": "1m",
            "at_end": "close",
            "delisted": "close",
        }
    )
    assert told == ModelOptions(
        spread_ppm=300,
        slippage=Slippage(150, 0, 5_000),
        volume=VolumeCap(100_000, 4),
        latency_bars=2,
        fee=Decimal("0.00075"),
        fee_maker=Decimal("0.0002"),
        fee_in="BNB",
        coin_price=Decimal("612.5"),
        venue_stops=True,
        detail="1m",
        at_end="close",
        delisted="close",
    )


def test_the_file_says_what_no_option_does_and_an_option_beats_it(tmp_path: Path) -> None:
    said: dict[str, Any] = {
        "spread": 3,
        "spread_range": 5,
        "slippage_of_spread": "50",
        "impact": 20,
        "impact_law": "linear",
        "zero_volume_fills": True,
        "fee_tiers": [
            {"turnover": 0, "taker": 10, "maker": 8},
            {"turnover": "1000000", "taker": 6.5, "maker": 3},
        ],
    }
    path = tmp_path / "model.json"
    path.write_text(json.dumps(said), encoding="utf-8")
    told = read_model({"model": str(path), "spread": "4"})
    assert told == ModelOptions(
        spread_ppm=400,
        spread_range_ppm=50_000,
        slippage=Slippage(0, 500_000, 2_000, linear=True),
        zero_volume_fills=True,
        tiers=(
            Tier(Decimal(0), Decimal("0.001"), Decimal("0.0008")),
            Tier(Decimal(1_000_000), Decimal("0.00065"), Decimal("0.0003")),
        ),
    )


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"spread": "x"}, "--spread 'x' is not a number"),
    ({"spread": "-1"}, "--spread -1 is out of range"),
    ({"spread": "0.0001"}, "finer than a millionth"),
    ({"volume_share": "101"}, "--volume-share 101 is out of range"),
    ({"latency": "1.5"}, "--latency 1.5 is not a whole number"),
    ({"carry_bars": "nan"}, "--carry-bars nan is out of range"),
    ({"stops": "exchange"}, "known are program, venue"),
    ({"at_end": "sell"}, "known are mark, close"),
    ({"fee_in": "B/N"}, "--fee-in 'B/N' is no coin"),
    ({"fee_coin_price": "0"}, "--fee-coin-price 0 is out of range"),
]


@pytest.mark.parametrize(("given", "why"), REFUSED)
def test_a_word_that_makes_no_sense_is_refused(given: dict[str, str], why: str) -> None:
    with pytest.raises(UsageError) as refused:
        read_model(given)
    assert why in str(refused.value)


BROKEN = [
    ("{", "is not JSON"),
    ("[]", "is no JSON object"),
    ('{"spred": 3}', "'spred' is not known"),
    ('{"spread": 3, "spread": 4}', "'spread' stands there twice"),
    ('{"zero_volume_fills": 1}', "is not true or false"),
    ('{"fee_tiers": {}}', "fee_tiers is no list"),
    ('{"fee_tiers": [{"turnover": 0, "taker": 1}]}', "is no tier"),
    ('{"fee_tiers": [{"turnover": 5, "taker": 1, "maker": 1}]}', "does not rise from 0"),
    ('{"fee_tiers": [{"turnover": 0, "taker": 2000, "maker": 1}]}', "out of range"),
    ('{"impact_law": "cubic"}', "known are sqrt, linear"),
]


@pytest.mark.parametrize(("text", "why"), BROKEN)
def test_a_file_that_makes_no_sense_is_refused(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "model.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError) as refused:
        read_model({"model": str(path)})
    assert why in str(refused.value)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match=r"cannot read nowhere\.json"):
        read_model({"model": "nowhere.json"})


def test_the_page_names_every_option_and_every_key_of_the_file() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "fills.md").read_text(encoding="utf-8")
    flags = [OPTIONS[name].flags[0] for name in MODEL]
    assert [flag for flag in flags if f"{flag} " not in page and f"{flag}`" not in page] == []
    assert [key for key in FILE_ONLY if f"`{key}" not in page] == []
    assert set(OPTION_KEYS) - {"spread", "fee"} == set(MODEL) - {"model", "detail"}


def test_a_model_is_chosen_on_the_command_line_and_named_in_the_report(
    workspace: Workspace, made_bars: list[Path]
) -> None:
    (workspace.folder / "model.json").write_text(
        '{"impact": 20, "fee_tiers": [{"turnover": 0, "taker": 20, "maker": 5}]}'
    )
    words = ("--model", "model.json", "--volume-share", "10%", "--at-end", "close", "--json")
    report = loads(workspace.trader("backtest", "--bars", str(made_bars[0]), *words))
    said = " ".join(report["assumed"])
    for sentence in (
        "for 10% of what the bar traded at most; the rest is tried again at the next 10 opens",
        "slippage beyond it: 20 bps times the square root of the order's share of the volume",
        "fees in bps by the turnover of the last 30 days: from 0 USDT: 20 taker, 5 maker",
        "a position left at the end is sold at its last close, with costs",
    ):
        assert sentence in said
    assert report["open_positions"] == []
    assert [row["fee_taker"] for row in report["market"]] == ["0.002"]


def test_the_rules_of_instruments_are_asked_of_the_venue(
    exchange: Workspace, made_bars: list[Path]
) -> None:
    words = ("backtest", "--bars", str(made_bars[0]), "--instruments", "venue", "--json")
    report = loads(exchange.trader(*words))
    assert not any("(from the data)" in line for line in report["assumed"])
    (row,) = report["market"]
    assert (row["symbol"], row["tick"], row["lot"]) == ("BTC/USDT", "0.01", "0.00001")
