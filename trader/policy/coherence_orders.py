"""Rules between limits of orders, losses, messages and the owner's currency.

Lives here: which limit must stand below which other, caps without effect, limits that let nothing
through. Must not live here: positions, sizes and stops of strategies (see `coherence_limits`).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import ROUND_CEILING, Decimal

from trader.policy.effective import LIMITS_TAKEN_FROM
from trader.policy.findings import Asked, Finding, Form, amount, key, percent, written
from trader.policy.form_numbers import ms
from trader.policy.problems import Code
from trader.policy.reading import Node
from trader.policy.tree import Path

ALL = Decimal(1)
LIMITS = ("policy", "limits")
MESSAGES = ("policy", "messages")


def _share(form: Form, dotted: str) -> Decimal:
    """A share below policy.limits."""
    value = form["policy"]["limits"]
    for step in dotted.split("."):
        value = value[step]
    return Decimal(value)


def _path(dotted: str) -> Path:
    return (*LIMITS, *dotted.split("."))


def order_limits(form: Form, _tree: Node) -> Iterator[Finding]:
    """A limit above another that must be above it: between them nothing would be let through."""
    limits = form["policy"]["limits"]
    for low, high, why in (
        ("collar", "collar_window", "the window would reject what the collar allows"),
        *(
            (("position", name, "an entry at its cap would be refused"))
            for name in LIMITS_TAKEN_FROM
        ),
    ):
        # Left out, these are the exposure, and one below a position is told by itself.
        above = _share(form, high)
        same = high in LIMITS_TAKEN_FROM and above == _share(form, "exposure_max")
        if above < _share(form, low) and not same:
            message = f"{high} {percent(above)} is below {low} {percent(_share(form, low))}: {why}"
            hint = f"write {percent(_share(form, low))} or more"
            yield Finding(Code.LIMIT_ORDER, (_path(high), _path(low)), message, hint)
    most, least = Decimal(limits["order_value_max"]), Decimal(limits["order_notional_min"])
    if most < least:
        message = f"order_value_max {amount(most)} is below order_notional_min {amount(least)}"
        hint = f"no order fits between them: write {amount(least)} or more"
        paths = (_path("order_value_max"), _path("order_notional_min"))
        yield Finding(Code.LIMIT_ORDER, paths, message, hint)
    var = limits["var"]
    if var["days_min"] > var["days"]:
        message = f"var.days_min {var['days_min']} is above var.days {var['days']}"
        hint = "no history would ever be enough: write no more days than are looked at"
        paths = (_path("var.days_min"), _path("var.days"))
        yield Finding(Code.LIMIT_ORDER, paths, message, hint)


def loss_layers(form: Form, _tree: Node) -> Iterator[Finding]:
    """The loss of several days below that of one: one bad day ends what it may not."""
    day, rolling = _share(form, "day_stop"), _share(form, "rolling_loss")
    if rolling < day < ALL:
        message = f"rolling_loss {percent(rolling)} is below day_stop {percent(day)}"
        hint = f"the days together would end what one day may lose: write {percent(day)} or more"
        yield Finding(Code.STOP_LAYERS, (_path("rolling_loss"), _path("day_stop")), message, hint)


def idle_limits(form: Form, tree: Node) -> Iterator[Finding]:
    """Written limits that another one makes without effect."""
    limits, cooldowns = form["policy"]["limits"], form["policy"]["cooldowns"]
    for name in LIMITS_TAKEN_FROM:
        own, most = _share(form, name), _share(form, "exposure_max")
        if written(tree, _path(name)) and own > most:
            message = f"{percent(own)} is above exposure_max {percent(most)}, which counts"
            hint = f"write less than {percent(most)}, or leave it out"
            yield Finding(Code.LIMIT_IDLE, (_path(name),), message, hint, True)
    rolling, most = _share(form, "rolling_loss"), _share(form, "drawdown_max")
    if written(tree, _path("rolling_loss")) and rolling < ALL and rolling >= most:
        message = f"{percent(rolling)} is not below drawdown_max {percent(most)}, which comes first"
        hint = f"write less than {percent(most)}"
        yield Finding(Code.LIMIT_IDLE, (_path("rolling_loss"),), message, hint, True)
    path = _path("exit_attempts")
    if written(tree, path) and limits["exit_attempts"] == 1:
        message = "1 attempt goes no wider than slippage: exit_slippage has no effect"
        hint = "write 2 or more, or exit_slippage as slippage"
        wider = _share(form, "exit_slippage") > _share(form, "slippage")
        yield from [Finding(Code.LIMIT_IDLE, (path,), message, hint, True)] * wider
    path = ("policy", "cooldowns", "stop")
    if written(tree, path) and ms(cooldowns["stop"]) < ms(cooldowns["exit"]):
        message = (
            f"{cooldowns['stop']} is below exit {cooldowns['exit']}, which counts after a stop too"
        )
        hint = f"write {cooldowns['exit']} or more"
        yield Finding(Code.LIMIT_IDLE, (path,), message, hint, True)


def unknown_history(form: Form, _tree: Node) -> Iterator[Finding]:
    """A position that may not be opened before its coin has a history."""
    var = form["policy"]["limits"]["var"]
    limit, assumed, position = (
        Decimal(var["limit"]),
        Decimal(var["assumed"]),
        _share(form, "position"),
    )
    if limit < ALL and position * assumed > limit:
        message = (
            f"a position of {percent(position)} that may lose {percent(assumed)} in a day is above "
            f"var.limit {percent(limit)}: nothing of that size is opened in a coin with fewer than "
            f"{var['days_min']} days of history"
        )
        hint = "a larger var.limit, a smaller var.assumed, or a smaller position"
        paths = (_path("var.limit"), _path("var.assumed"), _path("position"), LIMITS)
        yield Finding(Code.VAR_HISTORY, paths, message, hint, True)


def message_rates(form: Form, _tree: Node) -> Iterator[Finding]:
    """Rates of messages that contradict each other, or leave none to entries."""
    rows = form["policy"]["messages"]
    for short, long, many in (("per_second", "per_minute", 60), ("per_minute", "per_day", 1_440)):
        less, more = rows[short], rows[long]
        paths = ((*MESSAGES, long), (*MESSAGES, short))
        if more > less * many:
            message = f"{long} {more} is above {many} x {short} {less} = {less * many}"
            hint = f"it is never reached: write {less * many} or less"
            yield Finding(Code.MESSAGES_RATE, paths, message, hint)
        elif less > more:
            message = f"{short} {less} is above {long} {more}"
            hint = f"it is never reached: write {more} or less"
            yield Finding(Code.MESSAGES_RATE, (paths[1], paths[0]), message, hint)
    reserve = Decimal(rows["reserve"])
    for name in ("per_second", "per_minute", "per_day"):
        left = rows[name] - int((rows[name] * reserve).to_integral_value(ROUND_CEILING))
        if left < 1:
            message = (
                f"a reserve of {percent(reserve)} leaves none of {name} {rows[name]} to entries"
            )
            hint = "a smaller reserve, or a larger rate"
            paths = ((*MESSAGES, "reserve"), (*MESSAGES, name))
            yield Finding(Code.MESSAGES_RATE, paths, message, hint)
            return


def home_currency(form: Form, tree: Node) -> Iterator[Finding]:
    """An own currency without its rate, or a rate that is not its price in app.quote."""
    home, quote = form["policy"]["home"], form["app"]["quote"]
    currency, symbol = home["currency"], home["rate_symbol"]
    at, rate = key("policy.home.currency"), key("policy.home.rate_symbol")
    wanted = f"{currency}/{quote}"
    if not currency:
        lost = [name for name in ("rate_symbol", "order_value_max") if _is_said(form, tree, name)]
        for name in lost[:1]:
            message = f"{name} has no effect without home.currency"
            hint = "write home.currency, or remove it"
            yield Finding(Code.HOME_RATE, (("policy", "home", name),), message, hint, True)
    elif currency == quote:
        message = f"{currency} is app.quote itself: order values are held to limits.order_value_max"
        yield Finding(Code.HOME_RATE, (at,), message, "leave it out")
    elif symbol != wanted:
        message = f"one {currency} is priced by {wanted}, not by {symbol or 'nothing'}"
        yield Finding(Code.HOME_RATE, (rate, at), message, f"write rate_symbol: {wanted}")


def _is_said(form: Form, tree: Node, name: str) -> bool:
    default = {"rate_symbol": "", "order_value_max": "25000"}
    path = ("policy", "home", name)
    return written(tree, path) and form["policy"]["home"][name] != default[name]


def all_restricted(form: Form, _tree: Node) -> Iterator[Finding]:
    """Restrictions that close the whole account for entries."""
    rules, venue = form["policy"]["restricted"], form["app"]["exchange"]["name"]
    for name, closes, what in (
        ("sides", "buy" in rules["sides"], "no entry is anything but a buy"),
        ("venues", venue in rules["venues"], f"app.exchange.name is {venue}"),
    ):
        if closes:
            path = ("policy", "restricted", name)
            message = f"closes the account for every entry: {what}"
            hint = "remove it, or leave it to wind the account down"
            yield Finding(Code.RESTRICTED_ALL, (path,), message, hint, True)


def named_quotes(form: Form, _tree: Node) -> Iterator[Finding]:
    """Limits of instruments that settle in another currency: they are never traded here."""
    quote = form["app"]["quote"]
    named = (
        (_path("order_qty_max_of"), list(form["policy"]["limits"]["order_qty_max_of"])),
        (key("policy.restricted.instruments"), form["policy"]["restricted"]["instruments"]),
    )
    for path, pairs in named:
        for pair in pairs:
            base, settles = pair.split("/")
            if settles != quote:
                message = f"{pair} settles in {settles}, not in app.quote {quote}"
                hint = f"write {base}/{quote}"
                yield Finding(Code.PAIR_QUOTE, (path,), message, hint, item=pair)


RULES: tuple[Asked, ...] = (
    (order_limits, ("policy.limits",)),
    (loss_layers, ("policy.limits.day_stop", "policy.limits.rolling_loss")),
    (idle_limits, ("policy.limits", "policy.cooldowns")),
    (unknown_history, ("policy.limits.var", "policy.limits.position")),
    (message_rates, ("policy.messages",)),
    (home_currency, ("policy.home", "app.quote")),
    (all_restricted, ("policy.restricted", "app.exchange.name")),
    (named_quotes, ("policy.limits.order_qty_max_of", "policy.restricted.instruments")),
)
