"""Options of `trader backtest`; its whole output is under golden/."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from trader.cli.timeranges import parse_timerange
from trader.errors import UsageError

from .workspace import Workspace, loads

DAY_MS = 86_400_000
DAY = 1_704_067_200_000  # 2024-01-01


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", (None, None)),
        ("20240101-20240102", (DAY, DAY + DAY_MS)),
        ("20240101-", (DAY, None)),
        ("-20240101T0130", (None, DAY + 5_400_000)),
        ("1704067200-1704153600000", (DAY, DAY + DAY_MS)),
    ],
)
def test_a_time_range_is_read(text: str, wanted: tuple[int | None, int | None]) -> None:
    assert parse_timerange(text) == wanted


@pytest.mark.parametrize("text", ["-", "2024", "20240101", "20240199-", "20240102-20240101", "a-b"])
def test_what_is_no_time_range_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--timerange"):
        parse_timerange(text)


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("--fee", "x"), 2, "--fee 'x' is not a number"),
        (("--fee", "2000"), 2, "--fee 2000 is out of range"),
        (("--spread", "-1"), 2, "--spread -1 is out of range"),
        (("--starting-balance", "0"), 2, "--starting-balance 0 is out of range"),
        (("--strategy", "nobody"), 2, "'nobody' is not in the policy"),
        (("--timeframe", "7m"), 2, "'7m' is not known"),
        (("--timerange", "20300101-"), 3, "no bar lies in the asked time range"),
        (("--instruments", "absent.json"), 2, "cannot read absent.json"),
        (("--instruments", "bad.json"), 2, "bad.json is not a JSON list of instruments"),
    ],
)
def test_a_wrong_option_is_one_sentence(
    workspace: Workspace, made_bars: list[Path], words: tuple[str, ...], code: int, says: str
) -> None:
    (workspace.folder / "bad.json").write_text('[{"symbol": "BTC/USDT"}]')
    done = workspace.trader("backtest", "--bars", str(made_bars[0]), *words)
    assert (done.returncode, says in done.stderr) == (code, True), done.stderr
    assert done.stderr.count("\n") == 1


def test_the_same_instrument_twice_is_refused(workspace: Workspace, made_bars: list[Path]) -> None:
    path = str(made_bars[0])
    done = workspace.trader("backtest", "--bars", path, "--bars", f"{path}=BTC-USDT")
    assert done.returncode == 2
    assert "--bars names BTC/USDT twice" in done.stderr


def test_rules_of_instruments_are_taken_from_a_file(
    workspace: Workspace, made_bars: list[Path]
) -> None:
    row = {
        "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "tick": "0.005", "lot": "0.001",
        "qty_min": "0.001", "qty_max": "0", "notional_min": "10", "fee_taker": "0.0005",
        "fee_maker": "0.0005", "active": 1,
    }  # fmt: skip
    (workspace.folder / "rules.json").write_text(json.dumps([row]))
    done = workspace.trader(
        "backtest", "--bars", str(made_bars[0]), "--instruments", "rules.json", "--json"
    )
    (market,) = loads(done)["market"]
    assert (market["tick"], market["lot"], market["fee_taker"]) == ("0.005", "0.001", "0.0005")
    assert not any("from the data" in line for line in loads(done)["assumed"])


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("empty.csv", b""),
        ("binary.csv", bytes(range(256)) * 8),
        ("header_only.csv", b"timestamp_ms,open,high,low,close,volume\n"),
        ("no_header.csv", b"1,2,3,4,5,6\n2,3,4,5,6,7\n"),
        ("nan.csv", b"timestamp_ms,open,high,low,close,volume\n1700006400000,1,nan,1,1,1\n"),
        ("low.csv", b"timestamp_ms,open,high,low,close,volume\n1700006400000,1,1,2,1,1\n"),
    ],
)
def test_a_bad_file_is_one_sentence_and_code_3(
    workspace: Workspace, name: str, data: bytes
) -> None:
    (workspace.folder / name).write_bytes(data)
    done = workspace.trader("backtest", "--bars", f"{name}=BTC/USDT")
    assert done.returncode == 3, done.stderr
    assert name in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("given", "said"),
    [("x.csv=BTC/USDT:USDT", "did you mean BTC/USDT"), ("=BTC/USDT", "names no file")],
)
def test_what_cannot_be_bars_of_a_spot_instrument_is_usage(
    given: str, said: str, workspace: Workspace
) -> None:
    done = workspace.trader("backtest", "--bars", given)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
