//! The rows of the catalogue for 2005 and 2017, and those of them that 2025 kept.

use super::super::edition::Edition;
use super::catalogue::{Order, ParamKind, Parameter, Presence, Reply};

const ALL: &[Edition] = &Edition::KNOWN;
const V05: &[Edition] = &[Edition::V2005];
const V17: &[Edition] = &[Edition::V2017];
const V05_17: &[Edition] = &[Edition::V2005, Edition::V2017];
const V17_25: &[Edition] = &[Edition::V2017, Edition::V2025];

/// Longest factor code: six characters since 2017, words of makers are longer.
const CODE_MAX: usize = 20;
/// Longest free text (parameter values, addresses): logs may have 890 bytes, values are short.
const TEXT_MAX: usize = 200;

pub(super) const fn required(
    name: &'static str,
    zh: &'static str,
    en: &'static str,
    kind: ParamKind,
) -> Parameter {
    Parameter {
        name,
        zh,
        en,
        kind,
        presence: Presence::Required,
        preset: "",
    }
}

const fn preset(parameter: Parameter, preset: &'static str) -> Parameter {
    Parameter {
        preset,
        ..parameter
    }
}

pub(super) const fn present(parameter: Parameter, presence: Presence) -> Parameter {
    Parameter {
        presence,
        ..parameter
    }
}

pub(super) const POL_ID: Parameter = required(
    "PolId",
    "污染物编码",
    "factor code of the instrument",
    ParamKind::Text { max: CODE_MAX },
);
const POL_ID_OPTIONAL: Parameter = present(POL_ID, Presence::Optional);
const INFO_ID: Parameter = required(
    "InfoId",
    "现场端信息编码",
    "information code",
    ParamKind::Text { max: CODE_MAX },
);
pub(super) const BEGIN: Parameter =
    required("BeginTime", "开始时间", "first data time", ParamKind::Time);
pub(super) const END: Parameter =
    required("EndTime", "截止时间", "last data time", ParamKind::Time);
const SYSTEM_TIME: Parameter = required("SystemTime", "系统时间", "time to set", ParamKind::Time);
const RE_COUNT: Parameter = preset(
    required(
        "ReCount",
        "重发次数",
        "number of retries",
        ParamKind::Number { min: 1, max: 99 },
    ),
    "3",
);

const fn over_time(max: u32) -> Parameter {
    let number = ParamKind::Number { min: 1, max };
    preset(
        required("OverTime", "超时时间（秒）", "time-out, s", number),
        "10",
    )
}

const fn decimal(name: &'static str, zh: &'static str, en: &'static str) -> Parameter {
    present(
        required(name, zh, en, ParamKind::Decimal),
        Presence::Repeated,
    )
}

/// A request that asks; nothing at the site changes.
pub(super) const fn get(
    cn: &'static str,
    editions: &'static [Edition],
    zh: &'static str,
    en: &'static str,
    parameters: &'static [Parameter],
    reply: Reply,
) -> Order {
    Order {
        cn,
        editions,
        zh,
        en,
        parameters,
        intrusive: false,
        reply,
    }
}

/// A request that changes or moves something at the site.
pub(super) const fn set(
    cn: &'static str,
    editions: &'static [Edition],
    zh: &'static str,
    en: &'static str,
    parameters: &'static [Parameter],
) -> Order {
    Order {
        cn,
        editions,
        zh,
        en,
        parameters,
        intrusive: true,
        reply: Reply::Nothing,
    }
}

/// A request that switches uploads.
const fn switch(cn: &'static str, zh: &'static str, en: &'static str, reply: Reply) -> Order {
    Order {
        intrusive: true,
        ..get(cn, ALL, zh, en, &[], reply)
    }
}

const fn history(
    cn: &'static str,
    editions: &'static [Edition],
    zh: &'static str,
    en: &'static str,
) -> Order {
    get(cn, editions, zh, en, &[BEGIN, END], Reply::Records(cn))
}

/// Numbers of 2005 and 2017, and those of them that 2025 kept.
pub(super) static ORDERS: &[Order] = &[
    set(
        "1000",
        V05,
        "设置超时时间及重发次数",
        "set time-out and retries",
        &[over_time(86_400), RE_COUNT],
    ),
    set(
        "1000",
        V17_25,
        "设置超时时间及重发次数",
        "set time-out and retries",
        &[over_time(99), RE_COUNT],
    ),
    set(
        "1001",
        V05,
        "设置超限报警时间",
        "set alarm delay",
        &[required(
            "WarnTime",
            "超限报警时间",
            "alarm delay",
            ParamKind::Number {
                min: 0,
                max: 99_999,
            },
        )],
    ),
    get(
        "1011",
        V05,
        "提取现场机时间",
        "get device time",
        &[],
        Reply::Values("1011"),
    ),
    get(
        "1011",
        V17_25,
        "提取现场机时间",
        "get device time",
        &[POL_ID_OPTIONAL],
        Reply::Values("1011"),
    ),
    set(
        "1012",
        V05,
        "设置现场机时间",
        "set device time",
        &[SYSTEM_TIME],
    ),
    set(
        "1012",
        V17_25,
        "设置现场机时间",
        "set device time",
        &[POL_ID_OPTIONAL, SYSTEM_TIME],
    ),
    get(
        "1021",
        V05,
        "提取污染物报警门限值",
        "get alarm limits",
        &[present(POL_ID, Presence::AnyNumber)],
        Reply::Values("1021"),
    ),
    set(
        "1022",
        V05,
        "设置污染物报警门限值",
        "set alarm limits",
        &[
            present(POL_ID, Presence::Repeated),
            decimal("LowValue", "报警下限值", "lower alarm limit"),
            decimal("UpValue", "报警上限值", "upper alarm limit"),
        ],
    ),
    get(
        "1031",
        V05,
        "提取上位机地址",
        "get address of the centre",
        &[],
        Reply::Values("1031"),
    ),
    set(
        "1032",
        V05,
        "设置上位机地址",
        "set address of the centre",
        &[required(
            "AlarmTarget",
            "上位机地址",
            "address or telephone number",
            ParamKind::Text { max: TEXT_MAX },
        )],
    ),
    get(
        "1041",
        V05,
        "提取数据上报时间",
        "get daily report time",
        &[],
        Reply::Values("1041"),
    ),
    set(
        "1042",
        V05,
        "设置数据上报时间",
        "set daily report time",
        &[required(
            "ReportTime",
            "数据上报时间",
            "daily report time, hhmm",
            ParamKind::HourMinute,
        )],
    ),
    get(
        "1061",
        ALL,
        "提取实时数据间隔",
        "get real-time interval",
        &[],
        Reply::Values("1061"),
    ),
    set(
        "1062",
        ALL,
        "设置实时数据间隔",
        "set real-time interval",
        &[preset(
            required(
                "RtdInterval",
                "实时数据间隔（秒）",
                "real-time interval, s",
                ParamKind::Number { min: 30, max: 3600 },
            ),
            "30",
        )],
    ),
    get(
        "1063",
        V17_25,
        "提取分钟数据间隔",
        "get minute interval",
        &[],
        Reply::Values("1063"),
    ),
    set(
        "1064",
        V17_25,
        "设置分钟数据间隔",
        "set minute interval",
        &[preset(
            required(
                "MinInterval",
                "分钟数据间隔（分钟）",
                "minute interval, min",
                ParamKind::Choice(MINUTE_INTERVALS),
            ),
            "10",
        )],
    ),
    set(
        "1072",
        V05,
        "设置现场机密码",
        "set device password",
        &[required(
            "PW",
            "新密码",
            "new password",
            ParamKind::Secret { len: 6 },
        )],
    ),
    set(
        "1072",
        V17_25,
        "设置现场机密码",
        "set device password",
        &[required(
            "NewPW",
            "新密码",
            "new password",
            ParamKind::Secret { len: 6 },
        )],
    ),
    switch(
        "2011",
        "提取污染物实时数据",
        "start real-time data",
        Reply::Stream("2011"),
    ),
    switch(
        "2012",
        "停止察看污染物实时数据",
        "stop real-time data",
        Reply::Confirmation,
    ),
    switch(
        "2021",
        "提取设备运行状态数据",
        "start facility state",
        Reply::Stream("2021"),
    ),
    switch(
        "2022",
        "停止察看设备运行状态",
        "stop facility state",
        Reply::Confirmation,
    ),
    history("2031", ALL, "提取污染物日历史数据", "fetch day data"),
    history(
        "2041",
        ALL,
        "提取设备运行时间日历史数据",
        "fetch facility running time",
    ),
    history("2051", ALL, "提取污染物分钟数据", "fetch minute data"),
    history("2061", ALL, "提取污染物小时数据", "fetch hour data"),
    history("2071", V05, "提取污染物报警记录", "fetch alarm records"),
    set(
        "3011",
        V05_17,
        "零点校准量程校准",
        "zero and span calibration",
        &[POL_ID],
    ),
    set("3012", ALL, "即时采样", "sample now", &[POL_ID]),
    set(
        "3013",
        V05,
        "设备操作命令",
        "operate the device",
        &[POL_ID_OPTIONAL],
    ),
    set(
        "3013",
        V17_25,
        "启动清洗/反吹",
        "clean or blow back",
        &[POL_ID],
    ),
    set(
        "3014",
        V05,
        "设置设备采样时间周期",
        "set sampling times",
        &[
            POL_ID,
            present(
                required(
                    "CTime",
                    "采样时间（时）",
                    "hour of sampling",
                    ParamKind::Number { min: 0, max: 23 },
                ),
                Presence::Repeated,
            ),
        ],
    ),
    set("3014", V17, "比对采样", "comparison sampling", &[POL_ID]),
    set("3015", V17, "超标留样", "keep sample on exceedance", &[]),
    set(
        "3016",
        V17,
        "设置采样时间周期",
        "set sampling period",
        &[
            POL_ID,
            required(
                "CstartTime",
                "采样起始时间",
                "first sample, hhmmss",
                ParamKind::HourMinuteSecond,
            ),
            required(
                "Ctime",
                "采样周期（小时）",
                "sampling period, h",
                ParamKind::Number { min: 1, max: 24 },
            ),
        ],
    ),
    get(
        "3017",
        V17,
        "提取采样时间周期",
        "get sampling period",
        &[POL_ID],
        Reply::Values("3017"),
    ),
    get(
        "3018",
        V17_25,
        "提取出样时间",
        "get time to result",
        &[POL_ID],
        Reply::Values("3018"),
    ),
    get(
        "3019",
        V17_25,
        "提取设备唯一标识",
        "get instrument serial number",
        &[POL_ID],
        Reply::Values("3019"),
    ),
    get(
        "3020",
        V17_25,
        "提取现场机信息",
        "get field information",
        &[
            POL_ID_OPTIONAL,
            INFO_ID,
            present(BEGIN, Presence::Optional),
            present(END, Presence::Optional),
        ],
        Reply::Records("3020"),
    ),
    set(
        "3021",
        V17_25,
        "设置现场机参数",
        "set a parameter of the device",
        &[
            POL_ID_OPTIONAL,
            INFO_ID,
            required(
                "Info",
                "参数值",
                "value of the parameter",
                ParamKind::Text { max: TEXT_MAX },
            ),
        ],
    ),
];

/// Divisors of an hour that `MinInterval` may be.
const MINUTE_INTERVALS: &[&str] = &["1", "2", "3", "4", "5", "6", "10", "12", "15", "20", "30"];
