"""`trader policy check --equity`: whole output, width, JSON, and what is refused."""

from __future__ import annotations

import pytest

from .workspace import Workspace, loads

STRATEGIES = """\
dip:
  enter: close < open
  stop: 5%
  size: {equity_share: 20%}
  budget: {positions_max: 1}
grind:
  enter: close < open
  stop: 2 * atr(14)
  size: {equity_share: 3%}
calm:
  enter: close < open
  stop: 8%
"""
# Order = account x share / 1.001: 258.82 x 19 % / 1.001 = 49.1266, 258.82 x 3 % / 1.001 = 7.7568.
# Of calm, whose size is the profile's, a cost of 1 loses 1 - 0.92 x 0.998001 / 1.002001 = 0.0836727
# at its stop: 1 % / 0.0836727 = 11.9513 %; 258.82 x 11.9513 % = 30.9325; / 1.001 = 30.9016.
SAID = """\
[paper] what each strategy would really trade on 258.82 USDT
strategy  wants  order  least  at stop    from  always  here
dip       51.76  49.12     10     2.46   52.69   52.69   yes
grind      7.76   7.75     10  by rule  333.67  333.67    no
calm      30.93  30.90     10     2.48   83.76   83.76   yes
dip: policy.limits.position leaves 19% of equity; its stop loses 0.95% of
  equity, not 1%
calm: conservative means to lose 1% of equity at its stop, costs included, and
  asks for 11.9513%
The smallest account that can trade at all: 52.69 USDT; every strategy that can
  trade does from 333.67 USDT.
Assumed: a signal of full strength, the most favourable regime (`always`: from
  there on in every regime that opens it), a taker fee of 0.1%. `order` is the
  value after the fee; whole lots may take off up to one lot. `at stop` is
  without costs: a round trip costs up to 0.4% of the order's value, fees and
  slippage both ways.
"""


@pytest.fixture
def sized(workspace: Workspace) -> Workspace:
    """The workspace with the conservative profile and three strategies of rules."""
    config = workspace.folder / "config"
    (config / "policy.yaml").write_text("profile: conservative\n")
    (config / "strategies.yaml").write_text(STRATEGIES)
    return workspace


def test_the_table_says_what_is_left_of_every_size_and_why(sized: Workspace) -> None:
    done = sized.trader("policy", "check", "--equity", "258.82")
    assert (done.returncode, done.stderr) == (0, "")
    said = done.stdout
    assert said[said.index("[paper] what each") :] == SAID
    assert "warning: config/strategies.yaml:4: CAP_BINDS dip.size.equity_share:" in said


def test_the_table_fits_eighty_columns_whatever_it_says(sized: Workspace) -> None:
    name = "a" * 32
    sized.replace("strategies.yaml", "grind", name)
    done = sized.trader("policy", "check", "--equity", "100000")
    table = done.stdout[done.stdout.index("[paper] what each") :].splitlines()
    assert any(line.startswith(name[:24]) for line in table)
    assert max(map(len, table)) <= 80


def test_the_sizes_as_json_are_texts(sized: Workspace) -> None:
    found = loads(sized.trader("policy", "check", "--equity", "258.82", "--json"))
    sizes = found["sizes"]
    dip, grind, calm = sizes["strategies"]
    assert (sizes["equity"], sizes["account_min"], sizes["account_all"]) == (
        "258.82",
        "52.69",
        "333.67",
    )
    assert dip["binds"] == [{"cap": "policy.limits.position", "share": "19%"}]
    assert (dip["order"], dip["stop"], dip["loss_at_stop"], dip["trades"]) == (
        "49.12",
        "5%",
        "2.46",
        True,
    )
    assert (grind["stop"], grind["loss_at_stop"], grind["trades"]) == ("by rule", None, False)
    assert (calm["method"], calm["risked"], calm["asked"]) == ("conservative", "1%", "11.9513%")
    # with costs: 30.90 x 1.001 x 0.0836727 = 2.58808; the account's 1 % is 2.5882
    assert (calm["loss_at_stop"], calm["loss_with_costs"]) == ("2.48", "2.59")
    assert "sizes" not in loads(sized.trader("policy", "check", "--json"))


@pytest.mark.parametrize("equity", ["abc", "-1", "1e3", "nan", "99999999999999", "1,000"])
def test_an_account_that_is_none_is_refused_in_one_sentence(
    workspace: Workspace, equity: str
) -> None:
    done = workspace.trader("policy", "check", f"--equity={equity}")
    assert done.returncode == 2
    assert "--equity" in done.stderr
    assert done.stderr.count("\n") == 1
