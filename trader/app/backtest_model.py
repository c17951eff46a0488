"""The model of a back-test: what people choose, in decimals, brought to the core's whole numbers.

Lives here: those choices, the `Model` they make, a sentence for each thing assumed, the finer bars,
and the same run at other costs. Must not live here: how words are read (see `cli`), what the
assumptions do (`core.simulate`), and running.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from trader.bars.bar_file import BarFile
from trader.bars.resample import resample
from trader.core.model import CLOSE, MARK, FeeCoin, Fees, FeeTier, Model, Slippage, VolumeCap
from trader.core.scale import text, to_units_rounded
from trader.core.series import Series
from trader.core.snapshot import SeriesKey
from trader.domain.instrument import Instrument
from trader.domain.timeframe import TIMEFRAMES_MS, timeframe_name
from trader.errors import DataError, UsageError
from trader.records import dataclass, field, replace

QUOTE, BASE = "quote", "base"
FEE_ASSUMED = Decimal("0.001")
FEE_MAX = Decimal("0.999999")
MICRO = Decimal("0.000001")
BPS = Decimal("0.0001")


@dataclass(frozen=True, slots=True)
class Tier:
    """Fees, as shares, from a turnover of 30 days on, in the account's currency."""

    turnover: Decimal
    taker: Decimal
    maker: Decimal


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """What is assumed of the venue, as it was chosen; the defaults are `core.model`'s.

    Attributes:
        fee, fee_maker: shares; None: the rules of the instrument, else 10 bps; a maker's is the
            taker's where only that is given. fee_in: `quote`, `base` (buys), or a third coin.
        coin_price: what one third coin costs; None: the closes of its bars.
        tiers: rising turnover, the first from 0; in place of every other rate.
        venue_stops: protective stops rest at the venue.
        detail: timeframe of the finer bars, "" for those of the files named for it, if any.
        others: see `core.model.Model`.
    """

    spread_ppm: int = 200
    spread_range_ppm: int = 0
    slippage: Slippage = field(default_factory=Slippage)
    volume: VolumeCap = field(default_factory=VolumeCap)
    latency_bars: int = 1
    fee: Decimal | None = None
    fee_maker: Decimal | None = None
    fee_in: str = QUOTE
    coin_price: Decimal | None = None
    tiers: tuple[Tier, ...] = ()
    venue_stops: bool = False
    detail: str = ""
    at_end: str = MARK
    delisted: str = MARK
    zero_volume_fills: bool = False

    def coin_symbol(self, quote: str) -> str:
        """The instrument that tells the third coin's price, "" where there is none."""
        return "" if self.fee_in in {QUOTE, BASE} else f"{self.fee_in}/{quote}"


SeriesOf = Mapping[SeriesKey, Series]


def fees_of(options: ModelOptions, known: Instrument | None) -> tuple[Decimal, Decimal]:
    """(taker, maker) that sizes and gates count with: the dearest tier, else what was chosen, else
    what the instrument's rules say."""
    if options.tiers:
        return max(t.taker for t in options.tiers), max(t.maker for t in options.tiers)
    taker, maker = (known.fee_taker, known.fee_maker) if known else (FEE_ASSUMED, FEE_ASSUMED)
    if options.fee is not None:
        taker = maker = options.fee
    return taker, maker if options.fee_maker is None else options.fee_maker


def build_model(
    options: ModelOptions, quote: str, cash_digits: int, step_ms: int, series: SeriesOf
) -> Model:
    """The model in the run's integers; raises UsageError. `series`: with the finer bars."""
    unit = Decimal(1).scaleb(-cash_digits)
    tiers = tuple(
        FeeTier(
            to_units_rounded(tier.turnover, unit, "a fee tier's turnover", up=True),
            to_units_rounded(tier.taker, MICRO, "a fee tier", up=True),
            to_units_rounded(tier.maker, MICRO, "a fee tier", up=True),
        )
        for tier in options.tiers
    )
    coin = _coin(options, quote, unit, step_ms, series)
    detail = min((TIMEFRAMES_MS[name] for _, name in series), default=step_ms)
    return Model(
        spread_ppm=options.spread_ppm,
        fee_in_base=options.fee_in == BASE,
        stops=options.venue_stops,
        latency_bars=options.latency_bars,
        spread_range_ppm=options.spread_range_ppm,
        slippage=options.slippage,
        volume=options.volume,
        fees=Fees(tiers, coin),
        detail=timeframe_name(detail) if detail < step_ms else "",
        at_end=options.at_end,
        delisted=options.delisted,
        zero_volume_fills=options.zero_volume_fills,
    )


def _coin(
    options: ModelOptions, quote: str, unit: Decimal, step_ms: int, series: SeriesOf
) -> FeeCoin | None:
    symbol = options.coin_symbol(quote)
    if not symbol:
        return None
    if options.fee_in == quote:
        raise UsageError(f"{quote} is the account's own currency", "say --fee-in quote")
    units = 0
    if options.coin_price is not None:
        units = to_units_rounded(
            options.coin_price, unit, f"the price of {options.fee_in}", up=True
        )
    told = (symbol, timeframe_name(step_ms)) in series
    if not (told or units):
        raise UsageError(
            f"fees in {options.fee_in} need its price",
            f"give bars of {symbol}, or --fee-coin-price",
        )
    return FeeCoin(options.fee_in, units, symbol if told else "")


# --- finer bars ------------------------------------------------------------------------------


def detail_series(
    options: ModelOptions,
    step_ms: int,
    files: Mapping[str, BarFile],
    details: Mapping[str, BarFile],
    whole: SeriesOf,
    assumed: list[str],
) -> dict[SeriesKey, Series]:
    """The finer bars of each instrument that has some.

    `details`: files given for it; else the run's own, where their bars are finer than decisions.
    Raises UsageError, or DataError where a finer bar lies outside its bar.
    """
    if not (options.detail or details):
        return {}
    strangers = sorted(set(details) - set(files))
    if strangers:
        raise UsageError(
            f"finer bars of {strangers[0]} were given, but no bars", "name its bars with --bars"
        )
    detail_ms = _detail_step(options, step_ms, details)
    name = timeframe_name(detail_ms)
    found: dict[SeriesKey, Series] = {}
    without: list[str] = []
    for symbol, file in sorted(files.items()):
        finer = details.get(symbol, file)
        if finer.step_ms > detail_ms or detail_ms % finer.step_ms:
            without.append(symbol)
            continue
        if finer.tick != file.tick:
            raise DataError(
                f"{finer.path}: prices in steps of {text(finer.tick)}, those of {file.path} are "
                f"{text(file.tick)}",
                "read both with the same tick, by --instruments",
            )
        series = finer.series if finer.step_ms == detail_ms else resample(finer.series, detail_ms)
        if symbol in details:
            bars = whole[symbol, timeframe_name(step_ms)]
            told = _check_inside(bars, series, finer)
            if told < len(bars):
                assumed.append(
                    f"{symbol}: {name} bars for {told} of {len(bars)} bars; in the others what "
                    "happens is taken in its worst order"
                )
        found[symbol, name] = series
    if without:
        assumed.append(
            f"no {name} bars of {', '.join(without)}: what happens inside a bar is taken in its "
            "worst order there"
        )
    return found


def _detail_step(options: ModelOptions, step_ms: int, details: Mapping[str, BarFile]) -> int:
    name = options.detail
    if name and name not in TIMEFRAMES_MS:
        known = ", ".join(TIMEFRAMES_MS)
        raise UsageError(f"--timeframe-detail {name!r} is not known", f"known are {known}")
    detail_ms = TIMEFRAMES_MS[name] if name else max(f.step_ms for f in details.values())
    if detail_ms >= step_ms or step_ms % detail_ms or detail_ms not in TIMEFRAMES_MS.values():
        raise UsageError(
            f"bars of {detail_ms} ms are no finer part of the decision bars "
            f"({timeframe_name(step_ms)})",
            "give finer bars, or decide on longer ones (app.timeframe)",
        )
    return detail_ms


def _check_inside(whole: Series, detail: Series, file: BarFile) -> int:
    """How many bars have finer ones; two files of one instrument must not contradict each other."""
    at, told, newest = 0, 0, -1
    for index in range(len(detail)):
        opens_ms = detail.open_ms[index]
        while at < len(whole) and whole.open_ms[at] + whole.step_ms <= opens_ms:
            at += 1
        if at == len(whole) or whole.open_ms[at] > opens_ms:
            continue
        if detail.high[index] > whole.high[at] or detail.low[index] < whole.low[at]:
            raise DataError(
                f"{file.path}: the bar of {opens_ms} lies outside the longer bar of "
                f"{whole.open_ms[at]} that contains it",
                "the two files do not tell of the same market; give two that do",
            )
        told += at != newest
        newest = at
    if not told:
        raise DataError(
            f"{file.path}: none of its bars lies inside the bars of {file.symbol}",
            "give finer bars of the same days",
        )
    return told


# --- other costs -----------------------------------------------------------------------------


def times_fees(instruments: Sequence[Instrument], factor: int) -> tuple[Instrument, ...]:
    """Instruments whose fees are multiplied."""
    return tuple(
        replace(
            known,
            fee_taker=min(FEE_MAX, known.fee_taker * factor),
            fee_maker=min(FEE_MAX, known.fee_maker * factor),
        )
        for known in instruments
    )


# --- what was assumed ------------------------------------------------------------------------


def say_model(options: ModelOptions, quote: str, *, makers: bool) -> list[str]:
    """A sentence for each assumption, with its number. `makers`: whether entries may rest."""
    told = [f"{_arrival(options)}{_bounds(options)}"]
    told += [_costs(options)]
    if options.tiers:
        steps = "; ".join(
            f"from {text(t.turnover)} {quote}: {_bps(t.taker)} taker, {_bps(t.maker)} maker"
            for t in options.tiers
        )
        told.append(f"fees in bps by the turnover of the last 30 days: {steps}")
    if options.fee_in == BASE:
        told.append("a buy pays its fee in the coin it buys, a sale in the quote currency")
    elif options.fee_in != QUOTE:
        price = "the newest close of its bars" if options.coin_price is None else "its given price"
        told.append(f"fees are paid in {options.fee_in}, bought for cash at each fill at {price}")
    if options.venue_stops:
        told.append(
            "a protective stop rests at the venue and sells when its trigger trades, at the bid "
            "there; a bar that opens beyond it sells at the open"
        )
    else:
        told.append("stops and targets are the program's own: seen at a bar's close, sold after it")
    if makers:
        told.append(
            "an entry at rest fills at its own price once a bar trades through it, for what the "
            "bar traded at most"
        )
    if options.detail:
        told.append(f"{options.detail} bars tell in which order orders at rest were met")
    told.append(_ends(options))
    return told


def _arrival(options: ModelOptions) -> str:
    if options.latency_bars == 0:
        return (
            "a decision at a bar's close is carried out at that very close (kinder than any venue)"
        )
    if options.latency_bars == 1:
        return "a decision at a bar's close is carried out at the next bar's open"
    return (
        f"a decision at a bar's close arrives {options.latency_bars} bars later, at the open; so "
        "do cancels"
    )


def _bounds(options: ModelOptions) -> str:
    cap = options.volume
    without = "without a bar there nothing fills"
    if not options.zero_volume_fills:
        without = "without a bar there, or volume in it, nothing fills"
    if not cap.share_ppm:
        return f", all of it or nothing, however little the bar traded; {without}"
    share = text(Decimal(cap.share_ppm) / 10_000)
    rest = "the rest expires"
    if cap.carry_bars:
        rest = (
            f"the rest is tried again at the next {cap.carry_bars} opens, while its limit covers it"
        )
    return f", for {share}% of what the bar traded at most; {rest}; {without}"


def _costs(options: ModelOptions) -> str:
    spread = f"{_bps(Decimal(options.spread_ppm) * MICRO)} bps between bid and ask"
    if options.spread_range_ppm:
        share = text(Decimal(options.spread_range_ppm) / 10_000)
        spread += f", or {share}% of the last bar's range where that is more"
    slip, parts = options.slippage, list[str]()
    if slip.fixed_ppm:
        parts.append(f"{_bps(Decimal(slip.fixed_ppm) * MICRO)} bps")
    if slip.of_spread_ppm:
        parts.append(f"{text(Decimal(slip.of_spread_ppm) / 10_000)}% of the spread")
    if slip.impact_ppm:
        law = "times" if slip.linear else "times the square root of"
        parts.append(
            f"{_bps(Decimal(slip.impact_ppm) * MICRO)} bps {law} the order's share of the volume"
        )
    return f"{spread}; slippage beyond it: {' + '.join(parts) if parts else 'none'}"


def _bps(share: Decimal) -> str:
    return text(share / BPS)


def _ends(options: ModelOptions) -> str:
    def what(choice: str) -> str:
        return (
            "sold at its last close, with costs" if choice == CLOSE else "valued at its last close"
        )

    if options.at_end == options.delisted:
        return f"a position left when bars end is {what(options.at_end)}"
    return (
        f"a position left at the end is {what(options.at_end)}; one whose own bars end before is "
        f"{what(options.delisted)}"
    )


__all__ = [
    "ModelOptions",
    "Tier",
    "build_model",
    "detail_series",
    "fees_of",
    "say_model",
    "times_fees",
]
