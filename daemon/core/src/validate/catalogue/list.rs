//! The list. To add a check: its entry here, its test in `validate` or below `series`, its cases in
//! the table of tests, and `docs/checks.md` anew. Entry: number, code, severity, then per language
//! what is tested and what a failure says, then thresholds with default, ground and source.

super::catalogue! {
    // V1xx: a value.
    FLAG = "V101", "flag", Invalid,
        "数据标记是否计为有效" => "数据标记不计为有效",
        "whether the flag is among the valid flags of the profile" =>
        "the flag does not count as valid";
    FLAG_ABSENT = "V102", "flag-absent", Invalid,
        "规则要求时是否带有数据标记" => "未带数据标记",
        "whether a flag was sent, where the profile demands one" => "no flag was sent";
    UNREADABLE = "V103", "unreadable", Invalid,
        "应为数值的字段能否识读" => "数值无法识读",
        "whether every field that should be a number is one" => "the number is unreadable";
    NO_VALUE = "V104", "no-value", Invalid,
        "是否有均值或实时值" => "缺少数值",
        "whether there is a mean or a real-time value; cannot be switched off" =>
        "there is no value";
    BELOW_RANGE = "V105", "below-range", Impossible,
        "是否低于量程下限" => "低于量程下限",
        "value against the low end of the measuring range" => "below the measuring range";
    ABOVE_RANGE = "V106", "above-range", Invalid,
        "是否高于量程上限" => "高于量程上限",
        "value against the high end of the measuring range" => "above the measuring range";
    FAR_ABOVE_RANGE = "V107", "far-above-range", Impossible,
        "是否远超量程上限" => "远超量程上限",
        "value against a multiple of the measuring range" => "far above the measuring range",
        ["times", "", 2 / 0, Own, "no analogue output goes there";];
    NEGATIVE = "V108", "negative", Impossible,
        "浓度或流量是否为负" => "浓度或流量为负",
        "whether a concentration or flow is below zero where its range does not begin there" =>
        "a concentration or flow below zero";
    ORDER = "V109", "order", Impossible,
        "最小值、均值、最大值次序" => "最小值、均值、最大值次序矛盾",
        "Min <= Avg <= Max" => "min, mean and max contradict each other";
    PHYSICS = "V110", "physics", Impossible,
        "氧含量、湿度、pH、温度是否物理可能" => "超出物理可能范围",
        "oxygen, moisture, pH and temperature against what the quantity can be" =>
        "outside what is physically possible",
        ["o2_tolerance_pct", "% v/v", 7 / 1, M,
            "HJ 75-2017: span drift of 2.5 % of a full scale of 25 %, above the oxygen of air";];
    OVER_SCALE = "V111", "over-scale", Clue,
        "达到量程上限的数值是否带 T 标记" => "数值达到或超过量程上限而未标 T",
        "value at or above the top of the range against the flag T (超测上限)" =>
        "at or above the top of the range without the flag T";
    SCALE_FLAG = "V112", "scale-flag", Clue,
        "带 T 标记的数值是否达到量程上限" => "标记为 T 而数值在量程之内",
        "flag T against a value within the range" => "the flag says over range, the value is not";
    BELOW_DETECTION = "V113", "below-detection", Clue,
        "是否低于检出限" => "低于检出限（数据仍有效）",
        "value against the detection limit of the analyser (检出限)" =>
        "below the detection limit; the value counts";

    // V2xx: a record.
    AMMONIA_ABOVE_NITROGEN = "V201", "ammonia-above-nitrogen", Clue,
        "同一记录中氨氮与总氮" => "氨氮高于总氮",
        "ammonia nitrogen against total nitrogen in one record" =>
        "more ammonia nitrogen than total nitrogen",
        ["tolerance_pct", "%", 0 / 0, H, "public rule list R051";];
    BOD_ABOVE_COD = "V202", "bod-above-cod", Clue,
        "同一记录中五日生化需氧量与化学需氧量" => "五日生化需氧量高于化学需氧量",
        "BOD5 against COD in one record" => "more BOD5 than COD",
        ["tolerance_pct", "%", 0 / 0, H, "public rule list R052";];
    O2_AT_AIR = "V203", "o2-at-air", Clue,
        "有效污染物数据同时的氧含量是否达到空气水平" => "氧含量达到空气水平，无法折算",
        "oxygen of a record with valid pollutants against the oxygen of air in the profile" =>
        "as much oxygen as air has: nothing can be converted";
    PARAMETER_MISSING = "V204", "parameter-missing", Clue,
        "计算所需烟气参数是否齐全有效" => "缺少计算所需的有效烟气参数",
        "whether a record with valid pollutants has the parameters the formulas need" =>
        "a parameter that the formulas need is missing or does not count";
    FLOW_ZERO = "V205", "flow-zero", Clue,
        "流量为零时是否仍报有效浓度" => "流量为零而浓度数据有效",
        "valid concentrations while the flow or velocity is zero" =>
        "concentrations count while nothing flows";
    CONVERTED_RECOMPUTED = "V206", "converted-recomputed", Clue,
        "由实测值和氧含量复算折算值" => "上报折算值与复算值不符",
        "converted value (ZsAvg) against Avg and O2 by formula (28)" =>
        "the converted value is not what Avg and O2 give",
        ["tolerance_pct", "%", 2 / 0, H, "public rule list R068";];
    AMOUNT_RECOMPUTED = "V207", "amount-recomputed", Clue,
        "由均值、流量和时长复算排放量" => "上报排放量与复算值不符",
        "amount (Cou) against Avg, flow and time by formulas (29) to (33) or Q C t" =>
        "the amount is not what mean, flow and time give",
        ["tolerance_pct", "%", 2 / 0, H, "public rule list R068";];

    // V3xx: an hour.
    INCOMPLETE_HOUR = "V301", "incomplete-hour", Clue,
        "小时内应收记录的到达比例" => "小时内到达的记录过少",
        "records received against those due in the hour" => "too few of the hour's records came",
        ["min_pct", "%", 90 / 0, H, "public rule list R089, there for a month";];
    HOUR_DIFFERS = "V302", "hour-differs", Clue,
        "上报小时值与有效分钟均值" => "上报小时值与分钟均值不符",
        "the station's hour against the mean of its valid minutes; more than a unit of its last \
         place" =>
        "the reported hour is not the mean of its minutes",
        ["tolerance_pct", "%", 1 / 0, M,
            "HJ 356-2019: platform and instrument differ by more than 1 %";];
    CONSTANT = "V303", "constant", Clue,
        "小时内数值变幅与量程之比（废气）" => "数值长时间几乎不变",
        "spread of a stack's pollutant over the hour against its measuring range" =>
        "next to constant for a long time",
        ["range_pct", "%", 1 / 0, H, "public rule list R054";
         "value_pct", "%", 5 / 0, Own, "of the value itself: low values have a wide range";
         "minutes", "min", 45 / 0, Own, "as many as make an hour valid";];
    IDENTICAL_MINUTES = "V304", "identical-minutes", Clue,
        "小时内连续相同数值的时长（废气）" => "连续多分钟数值完全相同",
        "longest run of identical values of a stack's pollutant in the hour" =>
        "identical values minute after minute",
        ["minutes", "min", 30 / 0, Own, "half an hour of combustion without a digit of change";];
    PH_STEP = "V305", "ph-step", Clue,
        "小时内 pH 变幅" => "小时内 pH 变化过大",
        "span of pH within the hour" => "pH moved further than it does in an hour",
        ["span_ph", "pH", 2 / 0, H, "public rule list R083";];
    ZERO_WHILE_RUNNING = "V306", "zero-while-running", Clue,
        "其他参数表明在运行时污染物为零" => "污染物为零而其他参数表明在运行",
        "zero readings of a pollutant while oxygen and flow show the source running" =>
        "a pollutant at zero while the rest shows the source running",
        ["share_pct", "%", 50 / 0, Own, "principle: Tianjin monitoring centre, secondary source";
         "o2_running_max_pct", "% v/v", 19 / 0, Own, "2 % below air: something burns";
         "velocity_running_min_m_s", "m/s", 2 / 0, Own, "more than draught alone";];
    STOPPED_BUT_EMITTING = "V307", "stopped-but-emitting", Clue,
        "标记停运期间其他参数是否表明在运行" => "标记停运而参数表明在运行（标停未停）",
        "oxygen and flow while the flags or a mark say stopped" =>
        "flagged or marked stopped while the readings show the source running",
        ["minutes", "min", 5 / 0, Own, "shorter is the edge of a stop";
         "o2_running_max_pct", "% v/v", 19 / 0, Own, "2 % below air: something burns";
         "velocity_running_min_m_s", "m/s", 2 / 0, Own, "more than draught alone";];
    RANGE_TRUNCATED = "V308", "range-truncated", Clue,
        "数值在量程上限附近堆积" => "数值堆积在量程上限",
        "share of a pollutant's readings at the top of its range" =>
        "readings pile up at the top of the range",
        ["band_pct", "%", 1 / 0, Own, "the resolution of a 4-20 mA loop and its reader";
         "share_pct", "%", 20 / 0, Own, "principle: public rule list R070, without a figure";];
    FLOW_OFF_THEORY = "V309", "flow-off-theory", Clue,
        "上报流量与截面、流速计算流量" => "上报流量与理论流量不符",
        "reported stack flow against velocity times cross-section" =>
        "the reported flow is not what the velocity gives",
        ["tolerance_pct", "%", 30 / 0, H, "public rule list R077";];
    CLOCK_AHEAD = "V310", "clock-ahead", Clue,
        "记录时间与接收时间" => "记录时间晚于接收时间",
        "time of records against time of receipt" => "records carry a time that had not yet come",
        ["ahead_s", "s", 60 / 0, Own, "clocks are set to less; principle: public rule list R003";];
    BACK_FILLED = "V311", "back-filled", Clue,
        "记录到达延迟" => "记录补传过晚",
        "time from the end of records to their receipt" => "records came long after their time",
        ["late_s", "s", 3600 / 0, Own, "principle: public rule list R099, without a figure";];
    OUT_OF_ORDER = "V312", "out-of-order", Clue,
        "记录到达次序" => "记录时间倒退且未标补传",
        "order of receipt against order of time, without the mark of a repeat" =>
        "records stepped back in time";

    // V4xx: a day.
    INCOMPLETE_DAY = "V401", "incomplete-day", Clue,
        "日内应收记录的到达比例" => "日内到达的记录过少",
        "records received against those due in the day" => "too few of the day's records came",
        ["min_pct", "%", 90 / 0, H, "public rule list R089, there for a month";];
    DAY_DIFFERS = "V402", "day-differs", Clue,
        "上报日均值与有效小时均值" => "上报日均值与小时均值不符",
        "the station's day against the mean of its valid hours, plain or by volume" =>
        "the reported day is not the mean of its hours",
        ["tolerance_pct", "%", 1 / 0, M,
            "HJ 356-2019: platform and instrument differ by more than 1 %";];
    SUM_DIFFERS = "V403", "sum-differs", Clue,
        "上报日排放量与小时之和" => "上报日排放量与小时之和不符",
        "the station's amount of the day against the sum of its hours" =>
        "the reported amount of the day is not the sum of its hours",
        ["tolerance_pct", "%", 2 / 0, H, "public rule list R068";];
    CONSTANT_DAY = "V404", "constant-day", Clue,
        "日内小时均值变幅与量程之比" => "小时均值整日几乎不变",
        "spread of a pollutant's hour means over the day against its measuring range" =>
        "hour means next to constant all day",
        ["range_pct", "%", 1 / 0, H, "public rule list R054";
         "value_pct", "%", 5 / 0, Own, "of the value itself: low values have a wide range";
         "hours", "h", 12 / 0, Own, "half a day of valid hours";];
    IDENTICAL_HOURS = "V405", "identical-hours", Clue,
        "连续相同小时均值的时长" => "连续多小时均值完全相同",
        "longest run of identical hour means" => "identical hour means hour after hour",
        ["hours", "h", 6 / 0, Own, "longer than the cycle of slow analysers";];
    DUPLICATE_DAY = "V406", "duplicate-day", Clue,
        "与前一日逐小时比较" => "与前一日逐小时完全相同",
        "hour means against those of the day before, hour by hour" =>
        "the day repeats the day before, hour by hour",
        ["hours", "h", 12 / 0, Own, "half a day of pairs; principle: public rule list R092";];
    PH_FLAT = "V407", "ph-flat", Clue,
        "日内小时 pH 方差" => "pH 整日几乎不变",
        "variance of the day's hour means of pH" => "pH next to constant all day",
        ["variance_max", "pH²", 1 / 2, H, "public rule list R083";
         "hours", "h", 12 / 0, Own, "half a day of valid hours";];
    VELOCITY_IMPLAUSIBLE = "V408", "velocity-implausible", Clue,
        "小时平均流速是否在可信范围" => "流速不在可信范围，影响颗粒物测量",
        "hour means of the gas velocity against the span in which dust is measured well" =>
        "a velocity at which the dust reading is weak",
        ["min_m_s", "m/s", 5 / 0, H, "public rule list R085";
         "max_m_s", "m/s", 30 / 0, H, "public rule list R085";];
    HOUR_STEP = "V409", "hour-step", Clue,
        "负荷不变时相邻小时突变" => "负荷不变而相邻小时均值突变",
        "neighbouring hour means of a pollutant while the load stays" =>
        "a jump between neighbouring hours without a change of load",
        ["times", "", 5 / 0, Own, "public rule list R071 gives an eightfold rise as example";
         "range_pct", "%", 10 / 0, Own, "of the range, else of the limit; smaller is noise";
         "load_pct", "%", 20 / 0, Own, "a smaller change of flow is no change of load";];
    DROP_TOGETHER = "V410", "drop-together", Clue,
        "负荷不变时各污染物同时下降" => "负荷不变而各污染物同时大幅下降",
        "all pollutants from one hour to the next while the load stays" =>
        "all pollutants fell together without a change of load",
        ["drop_pct", "%", 50 / 0, Own, "principle: public rule list R053, without a figure";
         "load_pct", "%", 20 / 0, Own, "a smaller change of flow is no change of load";];
    O2_HIGH = "V411", "o2-high", Clue,
        "氧含量高于基线而污染物低" => "氧含量明显高于基线而污染物偏低",
        "oxygen against the percentile of the day before while a pollutant is far below its \
         limit" =>
        "more oxygen than the baseline while a pollutant is low",
        ["percentile", "%", 90 / 0, V2,
            "patent of the Chinese Research Academy of Environmental Sciences, there of peers";
         "margin_pct", "% v/v", 2 / 0, Own, "a tenth of the hours lie above the percentile anyway";
         "low_share_pct", "%", 50 / 0, Own, "half of the limit";
         "o2_running_max_pct", "% v/v", 19 / 0, Own, "above it nothing burns";
         "hours", "h", 12 / 0, Own, "fewer hours make no baseline";];
    LIMIT_HUGGING = "V412", "limit-hugging", Clue,
        "小时均值贴近限值的比例" => "小时均值长时间贴近限值（贴限排放）",
        "share of hour means in a band just below the limit" =>
        "hour means stay just below the limit",
        ["band_pct", "%", 5 / 0, Own,
            "pattern: DOI 10.19850/j.cnki.2096-4706.2026.04.023, without a figure";
         "share_pct", "%", 50 / 0, Own, "half of the valid hours";
         "hours", "h", 6 / 0, Own, "fewer are chance";];
    FURNACE_LOW = "V413", "furnace-low", Clue,
        "焚烧炉炉温 5 分钟均值低于下限的次数（不含有效标记时段）" => "炉温 5 分钟均值低于下限的次数超过规定",
        "five-minute means of the furnace temperature below the minimum, outside of marks, in a \
         day; the bounds are those of the profile" =>
        "the furnace was too cold more often than a day allows";
    EXCEEDED_DAYS = "V501", "exceeded-days", Clue,
        "自然月内日均值超标天数" => "当月超标天数超过规定",
        "days of a month with a day mean over a limit; the bound is that of the profile" =>
        "more days over a limit than a month allows";
}
