"""Broken policies by table: what stands in a file -> every problem with its line and key."""

from __future__ import annotations

import pytest

from trader.policy.checking import check_policy, examine
from trader.policy.problems import Code, PolicyError

from .conftest import FindSources
from .incoherent import EXAMPLES

EXCHANGE = "exchange:\n  "
CORE = "tiers:\n  core:\n    pairs: "
SECRET = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"

# (file, its text, the expected "line code where" of every problem, a part of the first message)
ROWS: list[tuple[str, str | bytes, list[str], str]] = [
    # --- the text itself
    ("app", "", ["0 EMPTY "], "write {}"),
    ("app", "# only a comment\n", ["0 EMPTY "], "says nothing"),
    ("app", "---\n", ["0 EMPTY "], "says nothing"),
    ("app", b"account: d\xffmo\n", ["1 NOT_UTF8 "], "0xff"),
    ("app", "account: demo\n".encode("utf-16"), ["1 NOT_UTF8 "], "UTF-8"),
    ("app", b"account: demo\nmode: pa\x00per\n", ["2 CONTROL_CHARACTER "], "U+0000"),
    ("app", "account: demo\ncycle:\n\tsettle_ms: 5\n", ["3 TAB "], "tab"),
    ("app", "account: [demo\nmode: paper\n", ["2 YAML_SYNTAX "], "not YAML"),
    ("app", "account: demo\n mode: paper\n", ["2 YAML_SYNTAX "], "not YAML"),
    ("app", "account: demo\nmode: paper\nquote:USDT\n", ["4 YAML_SYNTAX "], "not YAML"),
    ("app", "account: &a demo\nmode: paper\n", ["1 YAML_FEATURE account"], "anchors"),
    ("app", "account: *a\n", ["1 YAML_FEATURE account"], "aliases"),
    ("app", "<<: {account: demo}\n", ["1 YAML_FEATURE "], "<<"),
    ("app", "account: !!python/name:os.system x\n", ["1 YAML_FEATURE account"], "tags"),
    ("app", "account: !!str demo\n", ["1 YAML_FEATURE account"], "tags"),
    ("app", "account: demo\n---\naccount: two\n", ["2 YAML_FEATURE "], "second document"),
    ("app", "? [a, b]\n: 1\n", ["1 YAML_SYNTAX "], "plain text"),
    ("app", "account: demo\n" * 2, ["2 DUPLICATE_KEY account"], "line 1"),
    (
        "app",
        "cycle:\n  settle_ms: 1\n  settle_ms: 2\n",
        ["3 DUPLICATE_KEY cycle.settle_ms"],
        "line 2",
    ),
    ("app", "x: " + "[" * 40 + "]" * 40 + "\n", ["1 TOO_DEEP x"], "levels"),
    ("app", "x: [" + "a," * 30_000 + "]\n", ["1 TOO_LARGE "], "values"),
    ("app", b"#" * (1 << 20) + b"\n", ["0 TOO_LARGE "], "1048576"),
    ("app", "- account\n", ["1 WRONG_KIND "], "keys and values"),
    ("app", "just text\n", ["1 WRONG_KIND "], "keys and values"),
    # --- keys
    ("app", "acount: demo\n", ["1 UNKNOWN_KEY acount"], "did you mean account"),
    ("app", "app:\n  account: demo\n", ["1 UNKNOWN_KEY app"], "already is section app"),
    ("app", "limits: {collar: 3%}\n", ["1 UNKNOWN_KEY limits"], "unknown key"),
    ("app", "base_url: ''\n", ["1 UNKNOWN_KEY base_url"], "app.exchange.base_url"),
    ("app", EXCHANGE + "timeout: 5\n", ["2 UNKNOWN_KEY exchange.timeout"], "timeout_ms"),
    ("app", "account:\n", ["1 NO_VALUE account"], "remove the line"),
    ("app", "exchange:\n", ["1 NO_VALUE exchange"], "has no value"),
    ("app", "exchange: binance\n", ["1 WRONG_KIND exchange"], "keys and values"),
    ("app", "account: [demo]\n", ["1 WRONG_KIND account"], "single value"),
    ("app", "account: {a: demo}\n", ["1 WRONG_KIND account"], "single value"),
    # --- values and the traps of YAML
    ("app", "account: My Account\n", ["1 NOT_A_NAME account"], "short name"),
    ("app", 'account: ""\n', ["1 NO_VALUE account"], "short name"),
    ("app", "mode: papr\n", ["1 NOT_A_CHOICE mode"], "did you mean paper"),
    ("app", "mode: Live\n", ["1 NOT_A_CHOICE mode"], "did you mean live"),
    ("app", "quote: usdt\n", ["1 NOT_A_NAME quote"], "capitals"),
    ("app", "timeframe: 60m\n", ["1 NOT_A_CHOICE timeframe"], "did you mean 1h"),
    ("app", "timeframe: 1M\n", ["1 NOT_A_CHOICE timeframe"], "one of 1m"),
    ("app", "timeframe: 12:30:00\n", ["1 NOT_A_CHOICE timeframe"], "12:30:00"),
    ("app", "cash_max: 1e6\n", ["1 NOT_A_NUMBER cash_max"], "did you mean 1000000"),
    ("app", "cash_max: 1_000\n", ["1 NOT_A_NUMBER cash_max"], "did you mean 1000"),
    ("app", "cash_max: 1,000.5\n", ["1 NOT_A_NUMBER cash_max"], "did you mean 1000.5"),
    ("app", "cash_max: .inf\n", ["1 NOT_A_NUMBER cash_max"], "finite"),
    ("app", "cash_max: 0\n", ["1 OUT_OF_RANGE cash_max"], "outside 1 to"),
    ("app", "capital: everything\n", ["1 NOT_A_NUMBER capital"], "or write all"),
    ("app", "capital: -5\n", ["1 OUT_OF_RANGE capital"], "outside"),
    ("app", "cycle:\n  settle_ms: 010\n", ["2 NOT_AN_INTEGER cycle.settle_ms"], "mean 10"),
    ("app", "cycle:\n  settle_ms: 1:30\n", ["2 NOT_AN_INTEGER cycle.settle_ms"], "whole"),
    ("app", "cycle:\n  settle_ms: 2s\n", ["2 NOT_AN_INTEGER cycle.settle_ms"], "2000"),
    ("app", "cycle:\n  settle_ms: 0x10\n", ["2 NOT_AN_INTEGER cycle.settle_ms"], "0x10"),
    ("app", "cycle:\n  settle_ms: \u0661\n", ["2 NOT_AN_INTEGER cycle.settle_ms"], "whole"),
    ("app", "cycle:\n  settle_ms: ~\n", ["2 NOT_AN_INTEGER cycle.settle_ms"], "'~'"),
    ("app", "cycle:\n  deadline_ms: 60000\n", ["2 OUT_OF_RANGE cycle.deadline_ms"], "54000"),
    ("policy", "limits:\n  collar: 3\n", ["2 SHARE_SCALE limits.collar"], "did you mean 3%"),
    ("policy", "limits:\n  collar: nan\n", ["2 NOT_A_SHARE limits.collar"], "finite"),
    ("policy", "limits:\n  colar: 3%\n", ["2 UNKNOWN_KEY limits.colar"], "did you mean collar"),
    ("policy", "limits:\n  position: 25\n", ["2 SHARE_SCALE limits.position"], "mean 25%"),
    ("policy", "limits:\n  at_risk: 5%\n", ["2 RISK_AMBIGUOUS limits.at_risk"], "exposure_max"),
    ("policy", "limits:\n  position: -1%\n", ["2 OUT_OF_RANGE limits.position"], "outside"),
    ("policy", "limits:\n  slippage: 0.01bps%\n", ["2 NOT_A_SHARE limits.slippage"], "share"),
    ("policy", "limits:\n  slippage: 0.001bps\n", ["2 NOT_A_SHARE limits.slippage"], "finer"),
    ("policy", "limits:\n  quote_age_max: 10\n", ["2 NOT_A_DURATION limits.quote_age_max"], "10s"),
    ("policy", "limits:\n  quote_age_max: 1h\n", ["2 OUT_OF_RANGE limits.quote_age_max"], "5m"),
    ("policy", "limits:\n  positions_max: 2.5\n", ["2 NOT_AN_INTEGER limits.positions_max"], ""),
    ("signals", "defaults: {ttl_bars: 0}\n", ["1 OUT_OF_RANGE defaults.ttl_bars"], "1 to"),
    ("signals", "presets: {Fast: {n: 1}}\n", ["1 BAD_NAME presets.Fast"], "lower case"),
    ("strategies", "Cross: {}\n", ["1 BAD_NAME Cross"], "not a name"),
    ("strategies", "cross: ma_cross.py\n", ["1 WRONG_KIND cross"], "keys and values"),
    ("strategies", "cross: {enabled: no}\n", ["1 NOT_A_BOOLEAN cross.enabled"], "mean false"),
    ("strategies", "cross: {enabled: Yes}\n", ["1 NOT_A_BOOLEAN cross.enabled"], "mean true"),
    ("strategies", "cross: {enabled: True}\n", ["1 NOT_A_BOOLEAN cross.enabled"], "mean true"),
    ("strategies", "cross: {enabled: 1}\n", ["1 NOT_A_BOOLEAN cross.enabled"], "true or false"),
    ("strategies", "cross: {file: ../x.py}\n", ["1 NOT_A_NAME cross.file"], "Python file"),
    ("strategies", "cross: {file: /x.py}\n", ["1 NOT_A_NAME cross.file"], "Python file"),
    ("strategies", "cross: {instruments: all}\n", ["1 NOT_A_CHOICE cross.instruments"], "univ"),
    (
        "strategies",
        "cross:\n  parameters: {a: nan, b: 1e3, c: x}\n",
        [f"2 NOT_A_NUMBER cross.parameters.{name}" for name in "abc"],
        "finite",
    ),
    # --- instruments
    (
        "universe",
        "tiers: {core: {pairs: BTC/USDT}}\n",
        ["1 WRONG_KIND tiers.core.pairs"],
        "[BTC/USDT",
    ),
    ("universe", CORE + "[NO, BTC/USDT]\n", ["3 NOT_A_PAIR tiers.core.pairs"], "'NO'"),
    ("universe", CORE + "[btc/usdt]\n", ["3 NOT_A_PAIR tiers.core.pairs"], "mean BTC/USDT"),
    ("universe", CORE + "['BTC/*']\n", ["3 NOT_A_PAIR tiers.core.pairs"], "wildcard"),
    ("universe", CORE + "['(.*)+/USDT']\n", ["3 NOT_A_PAIR tiers.core.pairs"], "wildcard"),
    ("universe", CORE + "['*A*A*A*/USDT']\n", ["3 NOT_A_PAIR tiers.core.pairs"], "at most 3"),
    ("universe", CORE + "['.*/USDT:USDT']\n", ["3 PAIR_DERIVATIVE tiers.core.pairs"], ".*/USDT"),
    (
        "strategies",
        "cross: {instruments: ['*/USDT']}\n",
        ["1 NOT_A_PAIR cross.instruments"],
        "tier",
    ),
    ("universe", CORE + "[USDT/USDT]\n", ["3 NOT_A_PAIR tiers.core.pairs"], "itself"),
    (
        "universe",
        CORE + "\n    - BTC/USDT\n    - ETH/USDT:USDT\n",
        ["5 PAIR_DERIVATIVE tiers.core.pairs"],
        "did you mean ETH/USDT",
    ),
    # --- credentials and addresses
    ("app", EXCHANGE + "api_key: abc\n", ["2 CREDENTIAL exchange.api_key"], "a place for a"),
    ("app", EXCHANGE + f"secret: {SECRET}\n", ["2 CREDENTIAL exchange.secret"] * 2, "credential"),
    (
        "app",
        EXCHANGE + "credentials:\n    live:\n      key_env: " + SECRET + "\n",
        ["4 CREDENTIAL exchange.credentials.live.key_env"],
        "looks like a credential",
    ),
    ("app", EXCHANGE + "base_url: http://10.0.0.1\n", ["2 BASE_URL exchange.base_url"], "loopback"),
    (
        "app",
        EXCHANGE + "base_url: http://127.0.0.1.evil.com\n",
        ["2 BASE_URL exchange.base_url"],
        "loopback",
    ),
    (
        "app",
        EXCHANGE + "base_url: http://user:pw@127.0.0.1\n",
        ["2 BASE_URL exchange.base_url"],
        "plain",
    ),
    ("app", EXCHANGE + "base_url: ftp://127.0.0.1\n", ["2 BASE_URL exchange.base_url"], "plain"),
    (
        "app",
        EXCHANGE + "base_url: http://127.0.0.1:99999\n",
        ["2 BASE_URL exchange.base_url"],
        "port",
    ),
    (
        "app",
        "mode: live\n" + EXCHANGE + "base_url: http://127.0.0.1:8080\n",
        ["3 BASE_URL_LIVE exchange.base_url"],
        "mode live",
    ),
    # --- contradictions
    (
        "app",
        "cycle:\n  deadline_ms: 5000\n",
        ["2 DEADLINE_ORDER cycle.deadline_ms"],
        "exchange.timeout_ms 5000",
    ),
    (
        "app",
        EXCHANGE + "unknown_grace_ms: 5000\n",
        ["2 GRACE_TOO_SHORT exchange.unknown_grace_ms"],
        "10000",
    ),
    ("app", "capital: 200000000\n", ["1 CAPITAL_CAP capital"], "cash_max"),
    (
        "app",
        EXCHANGE + "credentials: {live: {key_env: TRADER_TESTNET_KEY}}\n",
        ["2 CREDENTIALS_SHARED exchange.credentials.live.key_env"],
        "testnet.key_env",
    ),
    (
        "app",
        EXCHANGE + "credentials: {live: {key_env: A, key_file: /run/key}}\n",
        ["2 CREDENTIAL_TWO_PLACES exchange.credentials.live.key_file"],
        "keep one",
    ),
    (
        "policy",
        "limits:\n  slippage: 1%\n",
        ["2 LIMIT_ORDER limits.slippage"],
        "exit_slippage 0.005 is below slippage 0.01",
    ),
    (
        "policy",
        "limits:\n  collar: 10bps\n",
        ["2 LIMIT_ORDER limits.collar"],
        "the collar would reject",
    ),
    ("universe", CORE + "[BTC/EUR]\n", ["3 PAIR_QUOTE tiers.core.pairs"], "write BTC/USDT"),
    (
        "universe",
        CORE + "[BTC/USDT, BTC-USDT]\n",
        ["3 PAIR_TWICE tiers.core.pairs"],
        "BTC/USDT is named twice",
    ),
    ("universe", CORE + "[]\n", ["1 NO_INSTRUMENTS cross"], "has no instruments"),
    (
        "strategies",
        "cross:\n  instruments: [SOL/USDT]\n",
        ["2 PAIR_OUTSIDE_UNIVERSE cross.instruments"],
        "in no tier",
    ),
    ("strategies", "cross: {preset: slow}\n", ["1 PRESET_UNKNOWN cross.preset"], "presets"),
    ("app", "timeframe: 4h\n", ["2 TIMEFRAME_MULTIPLE cross.timeframe"], "decision bars of 4h"),
]


def _ids() -> list[str]:
    return [f"{number}-{row[2][0].split()[1]}" for number, row in enumerate(ROWS)]


@pytest.mark.parametrize(("file", "text", "expected", "part"), ROWS, ids=_ids())
def test_a_broken_file_is_refused_with_line_and_key(
    sources_of: FindSources, file: str, text: str | bytes, expected: list[str], part: str
) -> None:
    with pytest.raises(PolicyError) as caught:
        check_policy(sources_of(**{file: text}), {})
    found = caught.value.problems
    assert [f"{p.line} {p.code} {p.where}" for p in found] == expected
    assert part in str(found[0])
    assert int(caught.value.code) == 2


def test_every_code_of_an_error_has_a_row_or_a_test_of_its_own() -> None:
    in_table = {part.split()[1] for row in ROWS for part in row[2]}
    elsewhere = {
        # test_precedence.py, test_strategy_files.py, test_rules_in_files.py, the warnings below
        "FOLDER_MISSING",
        "FILE_MISSING",
        "FILE_UNREADABLE",
        "FILE_STRAY",
        "UNKNOWN_SECTION",
        "ENTRY_TWICE",
        "INSTRUMENTS_TWICE",
        "PAIR_SPELLING",
        "CAP_BINDS",
        "NOTHING_ENABLED",
        "STRATEGY_FILE",
        "STRATEGY_SOURCE",
        "PARAMETER_UNKNOWN",
        "PARAMETER_KIND",
    }
    assert len(ROWS) >= 60
    # Rules have tables of their own, and so have rules between keys (test_incoherent_policies.py).
    others = {name for name in Code.__members__ if not name.startswith("RULE_")}
    between_keys = {example.code for example in EXAMPLES} | {"TIMEFRAME_VENUE"}
    assert in_table | elsewhere | between_keys == others


def test_all_problems_of_all_files_come_in_one_run_in_file_order(sources_of: FindSources) -> None:
    sources = sources_of(
        app="mode: papr\nacount: x\ncycle: {settle_ms: 2s}\n",
        policy="limits: {colar: 1, collar: 9}\n",
        universe=CORE + "[BTC/EUR]\n",
        signals="a: [\n",
        strategies="cross: {enabled: on}\nother: {timeframe: 90m}\n",
    )
    env = {"TRADER__APP__QOUTE": "EUR"}
    with pytest.raises(PolicyError) as caught:
        check_policy(sources, env)
    lines = [f"{p.file}:{p.line} {p.code}" for p in caught.value.problems]
    assert lines == [
        "config/app.yaml:1 NOT_A_CHOICE",
        "config/app.yaml:2 UNKNOWN_KEY",
        "config/app.yaml:3 NOT_AN_INTEGER",
        "config/policy.yaml:1 UNKNOWN_KEY",
        "config/policy.yaml:1 SHARE_SCALE",
        "config/universe.yaml:3 PAIR_QUOTE",
        "config/signals.yaml:2 YAML_SYNTAX",
        "config/strategies.yaml:1 NOT_A_BOOLEAN",
        "config/strategies.yaml:2 NOT_A_CHOICE",
        "env TRADER__APP__QOUTE:0 UNKNOWN_KEY",
    ]
    assert str(caught.value).count("\n") == len(lines) - 1


def test_a_problem_reads_as_one_line_with_place_key_and_hint(sources_of: FindSources) -> None:
    with pytest.raises(PolicyError) as caught:
        check_policy(sources_of(policy="limits:\n  colar: 3%\n"), {})
    text = "config/policy.yaml:2: UNKNOWN_KEY limits.colar: unknown key (did you mean collar)"
    assert str(caught.value) == text


def test_a_secret_is_never_quoted_in_a_message(sources_of: FindSources) -> None:
    texts = [f"account: {SECRET}\n", f"mode: {SECRET}\n", f"exchange: {{api_key: {SECRET}}}\n"]
    for text in texts:
        with pytest.raises(PolicyError) as caught:
            check_policy(sources_of(app=text), {})
        assert SECRET not in str(caught.value)
        assert {p.code for p in caught.value.problems} == {"CREDENTIAL"}


def test_a_broken_file_does_not_make_other_files_look_contradictory(
    sources_of: FindSources,
) -> None:
    _, problems, _ = examine(sources_of(universe="tiers: [\n"), {})
    assert [p.code for p in problems] == ["YAML_SYNTAX"]


def test_a_value_that_was_refused_is_not_judged_by_its_stand_in(sources_of: FindSources) -> None:
    sources = sources_of(
        app="timeframe: 4h\n",
        policy="limits: {position: 1%}\n",
        strategies="cross:\n  timeframe: 7x\n  instruments: [SOL/USDT]\n"
        "  size: {equity_share: x}\nother:\n  file: cross.py\n  timeframe: 1h\n",
    )
    _, problems, warnings = examine(sources, {}, strategy_files=True)
    assert [(p.line, p.code) for p in problems] == [
        (2, "NOT_A_CHOICE"),
        (3, "PAIR_OUTSIDE_UNIVERSE"),
        (4, "NOT_A_SHARE"),
        (7, "TIMEFRAME_MULTIPLE"),
    ]
    assert [(w.line, w.code) for w in warnings] == [(5, "CAP_BINDS")]


def test_what_is_only_odd_is_a_warning(sources_of: FindSources) -> None:
    sources = sources_of(
        universe=CORE + "\n    - BTC-USDT\n",
        strategies="cross:\n  enabled: false\n  size: {equity_share: 20%}\n",
    )
    checked = check_policy(sources, {})
    assert [(w.file, w.line, w.code) for w in checked.warnings] == [
        ("config/universe.yaml", 4, "PAIR_SPELLING"),
        ("config/strategies.yaml", 1, "NOTHING_ENABLED"),
        ("config/strategies.yaml", 3, "CAP_BINDS"),
    ]
    assert checked.form["universe"]["tiers"]["core"]["pairs"] == ["BTC/USDT"]


def test_live_mode_may_be_checked(sources_of: FindSources) -> None:
    assert check_policy(sources_of(app="mode: live\n"), {}).form["app"]["mode"] == "live"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8080", "https://localhost", "http://[::1]:90/x", "http://127.9.9.9"]
)
@pytest.mark.parametrize("mode", ["paper", "testnet"])
def test_a_loopback_address_is_accepted_in_paper_and_testnet(
    sources_of: FindSources, url: str, mode: str
) -> None:
    checked = check_policy(sources_of(app=f"mode: {mode}\nexchange: {{base_url: '{url}'}}\n"), {})
    assert checked.form["app"]["exchange"]["base_url"] == url
