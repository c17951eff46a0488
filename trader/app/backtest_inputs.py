"""What a back-test runs on: bars, instrument rules and parameters brought to one form.

Lives here: which instruments and strategies take part, the decision timeframe, rules of an
instrument that no venue described, and a sentence for every assumption that was made on the way.
Must not live here: reading files, running, and statistics.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

from trader.app.backtest_model import (
    ModelOptions,
    build_model,
    detail_series,
    fees_of,
    say_model,
    times_fees,
)
from trader.app.backtest_universe import fit_universe, universe_series
from trader.bars.bar_file import BarFile
from trader.bars.resample import resample
from trader.core.daily import asks_correlated, asks_var
from trader.core.identity import owner_prefix
from trader.core.model import Model
from trader.core.parameters import Parameters, StrategyCode, StrategySpec, UniverseSpec
from trader.core.scale import (
    ScaleError,
    cash_digits_for,
    digits_of,
    text,
    to_units,
)
from trader.core.series import Series
from trader.core.signals import rules_of
from trader.core.snapshot import SeriesKey
from trader.core.universe import tier_of
from trader.domain.instrument import Instrument
from trader.domain.timeframe import DAY_MS, TIMEFRAMES_MS, timeframe_name
from trader.errors import DataError, UsageError
from trader.records import dataclass, field, replace

LOT_DIGITS_MAX = 8
# One lot may be worth this share of the starting balance: fine enough to size, coarse enough for
# the core's integers.
LOTS_OF_CASH = 1_000_000
MODE = "backtest"


@dataclass(frozen=True, slots=True)
class BacktestOptions:
    """What the caller chose; None where the policy or the data decides.

    Attributes:
        start_ms, end_ms: decision bars that open in [start, end); None: open end.
        cash: starting balance, quote currency.
        fee, spread_ppm: shorthand for those of `model`.
        strategies: names to run; empty: all. timeframe: run them on this one, not their own.
        model: what is assumed of the venue.
    """

    cash: Decimal
    start_ms: int | None = None
    end_ms: int | None = None
    fee: Decimal | None = None
    spread_ppm: int | None = None
    strategies: tuple[str, ...] = ()
    timeframe: str = ""
    model: ModelOptions = field(default_factory=ModelOptions)

    @property
    def modelled(self) -> ModelOptions:
        """The model's options, shorthand taken in."""
        model = self.model if self.fee is None else replace(self.model, fee=self.fee)
        return model if self.spread_ppm is None else replace(model, spread_ppm=self.spread_ppm)


@dataclass(frozen=True, slots=True)
class BacktestInputs:
    """Everything a run reads. `assumed`: sentences that the report opens with."""

    parameters: Parameters
    strategies: Mapping[str, StrategyCode]
    instruments: tuple[Instrument, ...]
    series: Mapping[SeriesKey, Series]
    cash: Decimal
    cash_digits: int
    start_ms: int
    end_ms: int
    model: Model
    assumed: tuple[str, ...] = field(default=())

    @property
    def cash_unit(self) -> Decimal:
        """What one unit of cash is worth."""
        return Decimal(1).scaleb(-self.cash_digits)


def build_inputs(
    parameters: Parameters,
    strategies: Mapping[str, StrategyCode],
    files: Mapping[str, BarFile],
    options: BacktestOptions,
    rules: Mapping[str, Instrument] | None = None,
    details: Mapping[str, BarFile] | None = None,
) -> BacktestInputs:
    """Bring policy, files and options together.

    `rules` are instruments as a venue described them; what is not among them is inferred.
    `details`: files of finer bars, by instrument. Raises UsageError or DataError when they do not
    fit together.
    """
    assumed: list[str] = []
    quote = _one_quote(parameters, files, assumed)
    chosen = _chosen(parameters, options)
    step_ms = _decision_step(parameters, files, assumed)
    universe = fit_universe(parameters.universe, chosen, files, parameters.quote, step_ms, assumed)
    rate = _rate_symbol(parameters, files, assumed)
    model = options.modelled
    beside = frozenset({rate, model.coin_symbol(quote)})
    specs = _taking_part(chosen, universe, files, beside, options, assumed)
    specs = _that_fit(specs, strategies, step_ms, options, assumed)
    instruments = tuple(
        _instrument(files[symbol], (rules or {}).get(symbol), options, assumed)
        for symbol in sorted(files)
    )
    digits = _cash_digits(options.cash, Decimal(parameters.cash_max), instruments)
    account = replace(
        parameters,
        mode=MODE,
        prefix=owner_prefix(parameters.account, MODE),
        quote=quote,
        step_ms=step_ms,
        capital="",
        # What a back-test runs was approved by nobody, and sends nothing.
        limits=replace(parameters.limits, approval="given"),
        strategies=specs,
        universe=universe,
    )
    series = _series(account, strategies, files)
    finer = detail_series(model, step_ms, files, details or {}, series, assumed)
    series |= finer
    _check_volume(model, files)
    detailed = replace(model, detail=next((name for _, name in finer), ""))
    makers = any(spec.style.style == "maker" for spec in specs)
    assumed += say_model(detailed, quote, makers=makers)
    first = min(file.series.open_ms[0] for file in files.values())
    last = max(file.series.open_ms[-1] for file in files.values())
    return BacktestInputs(
        account,
        {spec.name: strategies[spec.name] for spec in specs},
        instruments,
        series,
        options.cash,
        digits,
        first if options.start_ms is None else options.start_ms,
        last + 1 if options.end_ms is None else options.end_ms,
        build_model(model, quote, digits, step_ms, series),
        tuple(assumed),
    )


def cost_variants(inputs: BacktestInputs) -> dict[str, BacktestInputs]:
    """The same run at no cost and at double: spread, slippage and fees `zero` and `double`."""
    return {
        name: replace(
            inputs,
            model=inputs.model.times(factor),
            instruments=times_fees(inputs.instruments, factor),
        )
        for name, factor in (("zero", 0), ("double", 2))
    }


def _cash_digits(cash: Decimal, cash_max: Decimal, instruments: Sequence[Instrument]) -> int:
    """Decimal places of the run's cash unit."""
    if cash > cash_max:
        raise UsageError(
            f"a starting balance of {text(cash)} is above app.cash_max {cash_max}",
            "lower it, or raise app.cash_max",
        )
    try:
        digits = cash_digits_for(list(instruments), cash_max)
        to_units(cash, Decimal(1).scaleb(-digits), "starting balance")
    except ScaleError as error:
        raise DataError(str(error), "lower app.cash_max, or give coarser rules") from error
    return digits


def _one_quote(parameters: Parameters, files: Mapping[str, BarFile], assumed: list[str]) -> str:
    if not files:
        raise UsageError("a back-test needs at least one bar file", "name one with --bars FILE")
    quotes = sorted({symbol.partition("/")[2] for symbol in files})
    if len(quotes) > 1:
        raise UsageError(
            f"the bar files settle in {' and '.join(quotes)}, an account has one currency",
            "run one back-test for each",
        )
    if quotes[0] != parameters.quote:
        assumed.append(f"the account is kept in {quotes[0]}, not in app.quote {parameters.quote}")
    return quotes[0]


def _rate_symbol(parameters: Parameters, files: Mapping[str, BarFile], assumed: list[str]) -> str:
    """The instrument that tells what the owner's currency is worth, "" when it is not asked."""
    home = parameters.limits.home
    if home.currency and home.rate_symbol not in files:
        assumed.append(
            f"policy.home: no bars of {home.rate_symbol} were given, so no order's value in "
            f"{home.currency} can be told and nothing is opened"
        )
    return home.rate_symbol if home.currency else ""


def _chosen(parameters: Parameters, options: BacktestOptions) -> list[StrategySpec]:
    known = {spec.name: spec for spec in parameters.strategies}
    missing = [name for name in options.strategies if name not in known]
    if missing:
        names = ", ".join(known) or "none"
        raise UsageError(f"strategy {missing[0]!r} is not in the policy", f"known are: {names}")
    chosen = [known[name] for name in options.strategies] or list(known.values())
    if not chosen:
        raise UsageError("the policy has no strategies", "add one to strategies.yaml")
    return chosen


def _taking_part(
    chosen: Sequence[StrategySpec],
    universe: UniverseSpec,
    files: Mapping[str, BarFile],
    beside: Collection[str],
    options: BacktestOptions,
    assumed: list[str],
) -> tuple[StrategySpec, ...]:
    """`beside`: instruments that are only there for their price, unless a strategy names them."""
    named = {symbol for spec in chosen for symbol in spec.symbols}
    followed = {spec.tier for spec in chosen if spec.tier}
    named |= {symbol for symbol in files if tier_of(universe, symbol) in followed}
    strangers = sorted(set(files) - named - set(beside))
    if strangers:
        assumed.append(
            f"{', '.join(strangers)}: named by no strategy of the policy, so each strategy here "
            "may trade it"
        )
    without = sorted(named - set(files))
    if without:
        assumed.append(f"left out, because no bars were given: {', '.join(without)}")
    specs: list[StrategySpec] = []
    for spec in chosen:
        symbols = tuple(symbol for symbol in (*spec.symbols, *strangers) if symbol in files)
        if spec.tier:
            symbols = ()  # whoever is a member of its tier
        of_tier = any(tier_of(universe, symbol) == spec.tier for symbol in files)
        if not symbols and not (spec.tier and of_tier):
            assumed.append(f"strategy {spec.name} does nothing: it trades none of these files")
            continue
        specs.append(_on_timeframe(spec, symbols, options.timeframe, assumed))
    return tuple(specs)


def _on_timeframe(
    spec: StrategySpec, symbols: tuple[str, ...], timeframe: str, assumed: list[str]
) -> StrategySpec:
    if not timeframe or timeframe == spec.timeframe:
        return replace(spec, symbols=symbols)
    if timeframe not in TIMEFRAMES_MS:
        known = ", ".join(TIMEFRAMES_MS)
        raise UsageError(f"timeframe {timeframe!r} is not known", f"known are {known}")
    assumed.append(f"strategy {spec.name} runs on {timeframe}, not on its own {spec.timeframe}")
    return replace(
        spec, symbols=symbols, timeframe=timeframe, timeframe_ms=TIMEFRAMES_MS[timeframe]
    )


def _decision_step(parameters: Parameters, files: Mapping[str, BarFile], assumed: list[str]) -> int:
    """The policy's decision timeframe, or the next that every file's bars make up."""
    fitting = [
        step
        for step in sorted(TIMEFRAMES_MS.values())
        if step >= parameters.step_ms and all(step % f.step_ms == 0 for f in files.values())
    ]
    if not fitting:
        longest = max(file.step_ms for file in files.values())
        raise DataError(
            f"no timeframe is made up of the bars of every file (the longest are {longest} ms)",
            "give files of one timeframe",
        )
    step_ms = fitting[0]
    if step_ms != parameters.step_ms:
        assumed.append(
            f"decisions every {timeframe_name(step_ms)}, as the bars are, not every "
            f"{timeframe_name(parameters.step_ms)} (app.timeframe)"
        )
    return step_ms


def _steps_ms(spec: StrategySpec, strategies: Mapping[str, StrategyCode]) -> list[int]:
    """The timeframes that a strategy looks at: its own first, then those of its rules."""
    bound = rules_of(spec, strategies[spec.name])
    other = [frame.step_ms for frame in bound.frames] if bound else []
    return list(dict.fromkeys([spec.timeframe_ms, *other]))


def _that_fit(
    specs: Sequence[StrategySpec],
    strategies: Mapping[str, StrategyCode],
    step_ms: int,
    options: BacktestOptions,
    assumed: list[str],
) -> tuple[StrategySpec, ...]:
    """Strategies whose bars, on every timeframe they look at, are whole decision bars; one asked
    for by name must be."""
    step = timeframe_name(step_ms)
    odd = {
        spec.name: next((ms for ms in _steps_ms(spec, strategies) if ms % step_ms), 0)
        for spec in specs
    }
    fitting = tuple(spec for spec in specs if not odd[spec.name])
    for spec in specs:
        if spec in fitting:
            continue
        needed = timeframe_name(odd[spec.name])
        if options.strategies or not fitting:
            raise UsageError(
                f"strategy {spec.name} needs {needed} bars, the files allow {step}",
                f"give finer bars, or run it on others with --timeframe {step}",
            )
        assumed.append(
            f"strategy {spec.name} is LEFT OUT: it needs {needed} bars, the files allow "
            f"{step} (--timeframe {step} would run it on those)"
        )
    return fitting


def _instrument(
    file: BarFile, known: Instrument | None, options: BacktestOptions, assumed: list[str]
) -> Instrument:
    if known is not None:
        if file.tick != known.tick:
            raise DataError(
                f"{file.path}: prices are in steps of {text(file.tick)}, the rules of "
                f"{known.symbol} say {text(known.tick)}",
                "read the file with that tick",
            )
        taker, maker = fees_of(options.modelled, known)
        return replace(known, fee_taker=taker, fee_maker=maker)
    taker, maker = fees_of(options.modelled, None)
    lot = _lot(file, options.cash)
    base, _, quote = file.symbol.partition("/")
    assumed.append(
        f"{file.symbol}: tick {text(file.tick)} (from the data), lot {text(lot)}, no smallest "
        f"value but the policy's, fee {_fee_text(taker, maker)} bps"
    )
    return Instrument(
        file.symbol, base, quote, file.tick, lot, lot, Decimal(0), Decimal(0), taker, maker
    )


def _lot(file: BarFile, cash: Decimal) -> Decimal:
    """The largest power of ten worth at most a millionth of the cash at the highest close."""
    highest = max(file.series.close) * file.tick
    lot = Decimal(1)
    while lot * highest * LOTS_OF_CASH > cash and digits_of(lot) < LOT_DIGITS_MAX:
        lot = lot.scaleb(-1)
    return lot


def _series(
    parameters: Parameters,
    strategies: Mapping[str, StrategyCode],
    files: Mapping[str, BarFile],
) -> dict[SeriesKey, Series]:
    """Every timeframe that a decision reads: of the file itself, or resampled from it."""
    found: dict[SeriesKey, Series] = {}
    wanted = {(symbol, parameters.step_ms) for symbol in files}
    wanted |= universe_series(parameters.universe, files)
    for spec in parameters.strategies:
        for step_ms in _steps_ms(spec, strategies):
            wanted.update((symbol, step_ms) for symbol in spec.symbols or files)
    if asks_var(parameters.limits) or asks_correlated(parameters.limits):
        # Bars longer than a day cannot be told by days: losses are assumed then.
        wanted |= {(symbol, DAY_MS) for symbol in files if DAY_MS % files[symbol].step_ms == 0}
    for symbol, step_ms in sorted(wanted):
        series = files[symbol].series
        if step_ms != series.step_ms:
            series = resample(series, step_ms)
        found[symbol, timeframe_name(step_ms)] = series
    return found


def _fee_text(taker: Decimal, maker: Decimal) -> str:
    told = text(taker * 10_000)
    return told if taker == maker else f"{told} taker, {text(maker * 10_000)} maker"


def _check_volume(model: ModelOptions, files: Mapping[str, BarFile]) -> None:
    """A share of the volume needs a volume."""
    for symbol, file in sorted(files.items()):
        if model.volume.share_ppm and not any(file.series.volume):
            raise DataError(
                f"{file.path}: no bar of {symbol} tells a volume, so no share of it can fill",
                "leave --volume-share out, or give bars with volume",
            )
