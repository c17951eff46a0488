cdef class LaneRules:
    cdef public object calendar
    cdef public long long day_limit, minute_limit, second_limit
    cdef public long long ask_ppm, asks_correlated, asks_messages, asks_var, asset_ppm, bid_ppm
    cdef public long long collar_window_bars, correlated_ppm, depth_asked
    cdef public long long exit_bars, exit_ms, exposure_ppm, fall_ppm, fee_in_base
    cdef public long long loss_ppm, pending_ppm, position_ppm, rolling_days, rolling_ppm, rung_ppm
    cdef public long long slippage_ppm, stop_ms, timed, unfilled_ms, value_units_max
    cdef public long long var_ppm, volume_asked, volume_bars, volume_ppm, whole, window_asked
