"""Mutants that no test can notice, and why.

Lives here: by `module what`, the reason. They count as survivors all the same. Must not live here:
mutants that a test could notice: those need the test.
"""

from __future__ import annotations

REASONS: dict[str, str] = {
    "account_gates 2 for 1": "a number that refuses until it is filled in: another refuses too",
    "account_gates 1 for 0": "a number that refuses until it is filled in: another refuses too",
    "tier_gates 1 for 0": "a number that refuses until it is filled in: another refuses too",
    "account_view GtE in `position.qty_units > 0`": "no coins are worth nothing",
    "account_view GtE in `holding.qty_units > 0`": "no coins are worth nothing",
    "account_view 1 for 0": "one unit of a coin, 1e-8 of it, is worth less than the cash unit here",
    "gates without `numbers.byteswap()`": "only on a machine of the other byte order",
    "sizing Lt in `spendable <= 0`": "of nothing no lot is bought on either side",
    "sizing Sub in `PPM + spec.fee_taker_ppm`": (
        "a first guess of lots that is too high is stepped back from: the same, later"
    ),
    "risk_sums Eq in `known[0] != len(at_risk)`": "told anew each time: the same, later",
    "risk_sums 1 for 0": "told anew each time: the same, later",
    "totals Lt in `holding.qty_units <= 0`": "no coins are worth nothing",
    "totals 1 for 0": "one unit of a coin, 1e-8 of it, is worth less than the cash unit here",
    "quality LtE in `ratio < 0.0`": "a ratio of 0 is 0 on either side",
    "days Sub in `last_day - DAY_SLOTS + 1`": "two days earlier are not in the ring any more",
    "standings Gt in `self.results[spec.name] >= book.high_units`": (
        "a book at its high is 0 below it, and no limit is below 1"
    ),
    "trim mul_div_down for mul_div_up": (
        "a unit less paid for what is being sold already, which is not trimmed"
    ),
    "trim 2 for 1": "a position that adds one unit to a sum is no position",
    "messages LtE in `min(limits.second_max, limits.minute_max, limits.day_max)...`": (
        "counting where nothing binds finds the same room"
    ),
    "messages False for True": "the three tuples that are walked together are of one length",
    "returns Mult in `value_units // MILLION`": (
        "high and low then add up to the same without an overflow, and Python has none"
    ),
    "returns Lt in `loss <= worst[last]`": "a loss equal to the last one takes its place: the same",
    "returns LtE in `worst[j - 1] < loss`": "equal losses change places: the same",
    "risk_sums without `self._worst = array('q')`": "it is set again before it is read",
    "risk_sums without `self._pairs[symbol, other] = known`": "told anew each time: the same",
    "covariance 2 for 1": "no bar opens within a millisecond after another",
    "order_sums 2 for 1": "no bar opens within a millisecond after another",
    "order_sums 61 for 60": "no limit of the policy has so many digits",
    "parities 1 for 0": "columns are of one length, and the day 0 is of 1970",
    "risk Sub in `PPM + spec.fee_taker_ppm`": (
        "a first guess of lots that is too high is stepped back from: the same, later"
    ),
    "risk GtE in `stop_ticks > 0`": (
        "a first guess of lots that is too high is stepped back from: the same, later"
    ),
    "risk Add in `PPM - spec.fee_taker_ppm`": (
        "a first guess of lots that is too high is stepped back from: the same, later"
    ),
    "risk 2 for 1": "a first guess of lots that is too high is stepped back from: the same, later",
    "risk_curve Gt in `whole >= LARGE`": "at exactly 100,000 the formula gives the same",
    "risk_curve mul_div_up for mul_div_down": "48 products of 60 places: less than 1e-9 ppm",
    "risk_parity 2.0 for 1.0": "where the rounds begin: they end at the same weights",
    "risk_parity Lt in `distance(scaled, n, weights) <= TOLERANCE * TOLERANCE`": (
        "a distance of exactly 1e-18"
    ),
    "sizes 2 for 1": "no bar opens within a millisecond after another",
}
