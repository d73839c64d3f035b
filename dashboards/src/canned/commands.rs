//! Commands that the loggers of this fiction understand, by edition of HJ 212.

use crate::backend::{CommandForm, CommandParameter, ParameterKind};
use cems_core::model::Outlet;

/// Characters of a password, an instrument's id and an information code.
const CODE_CHARS: u32 = 6;

/// A command: number, editions (05, 17, 25), intrusive, parameters, Chinese, English.
type CommandRow = (
    &'static str,
    [bool; 3],
    bool,
    &'static str,
    &'static str,
    &'static str,
);

const ALL: [bool; 3] = [true; 3];
const NEW: [bool; 3] = [false, true, true];
const OLD: [bool; 3] = [true, false, false];
const MID: [bool; 3] = [false, true, false];
const LAST: [bool; 3] = [false, false, true];

#[rustfmt::skip]
const COMMANDS: [CommandRow; 24] = [
    ("1000", ALL, true, "OverTime ReCount", "设置超时时间及重发次数", "Set time-out and retries"),
    ("1011", ALL, false, "PolId?", "提取现场机时间", "Read the device's clock"),
    ("1012", ALL, true, "PolId? SystemTime", "设置现场机时间", "Set the device's clock"),
    ("1061", ALL, false, "", "提取实时数据间隔", "Read the real-time interval"),
    ("1062", ALL, true, "RtdInterval", "设置实时数据间隔", "Set the real-time interval"),
    ("1063", NEW, false, "", "提取分钟数据间隔", "Read the minute interval"),
    ("1064", NEW, true, "MinInterval", "设置分钟数据间隔", "Set the minute interval"),
    ("1072", ALL, true, "NewPW", "设置现场机密码", "Set the device's password"),
    ("2011", ALL, false, "", "取实时数据", "Start real-time data"),
    ("2012", ALL, true, "", "停止察看实时数据", "Stop real-time data"),
    ("2031", ALL, false, "BeginTime EndTime", "取日历史数据", "Fetch day data"),
    ("2051", ALL, false, "BeginTime EndTime", "取分钟历史数据", "Fetch minute data"),
    ("2061", ALL, false, "BeginTime EndTime", "取小时历史数据", "Fetch hour data"),
    ("2071", OLD, false, "BeginTime EndTime", "取报警记录", "Fetch alarm records"),
    ("3011", ALL, true, "PolId", "零点校准、量程校准", "Zero and span calibration"),
    ("3012", ALL, true, "PolId", "即时采样", "Sample now"),
    ("3013", NEW, true, "PolId", "启动清洗、反吹", "Clean or blow back"),
    ("3014", MID, true, "PolId", "比对采样", "Comparison sampling"),
    ("3015", MID, true, "", "超标留样", "Keep a sample on exceedance"),
    ("3018", NEW, false, "PolId", "提取出样时间", "Read the time to a result"),
    ("3020", NEW, false, "PolId InfoId BeginTime? EndTime?", "提取现场信息",
        "Read field information"),
    ("3021", NEW, true, "PolId InfoId Info", "设置现场端参数", "Set a field parameter"),
    ("3022", LAST, true, "PolId", "即时留样", "Keep a sample now"),
    ("3024", LAST, true, "PolId", "启动标样核查", "Start a standard check"),
];

fn parameter(outlet: &Outlet, cn: &str, written: &str) -> CommandParameter {
    let name = written.trim_end_matches('?');
    let (label_zh, label_en, kind, preset) = match name {
        "OverTime" => {
            let kind = ParameterKind::Number { min: 1, max: 99 };
            ("超时时间（秒）", "Time-out, s", kind, "5")
        }
        "ReCount" => {
            let kind = ParameterKind::Number { min: 1, max: 99 };
            ("重发次数", "Retries", kind, "3")
        }
        "RtdInterval" => {
            let kind = ParameterKind::Number {
                min: 30,
                max: 3_600,
            };
            ("实时数据间隔（秒）", "Real-time interval, s", kind, "60")
        }
        "MinInterval" => {
            let values = ["1", "2", "3", "4", "5", "6", "10", "12", "15", "20", "30"];
            let kind = ParameterKind::Choice(values.map(str::to_owned).into());
            ("分钟数据间隔（分钟）", "Minute interval, min", kind, "10")
        }
        "PolId" if cn == "1011" || cn == "1012" => {
            let kind = ParameterKind::Text(CODE_CHARS);
            ("监测因子", "Factor", kind, "")
        }
        "PolId" => {
            let codes = outlet.factors.keys().map(ToString::to_string);
            let kind = ParameterKind::Choice(codes.collect());
            ("监测因子", "Factor", kind, "")
        }
        "NewPW" => {
            let kind = ParameterKind::Secret(CODE_CHARS);
            ("新密码", "New password", kind, "")
        }
        "SystemTime" => (
            "系统时间",
            "System time",
            ParameterKind::Time,
            "20260318143210",
        ),
        "BeginTime" => ("开始时间", "From", ParameterKind::Time, "20260318120000"),
        "EndTime" => ("截止时间", "Until", ParameterKind::Time, "20260318140000"),
        "InfoId" => {
            let kind = ParameterKind::Text(CODE_CHARS);
            ("现场端信息编码", "Information code", kind, "i12001")
        }
        _ => ("参数值", "Value", ParameterKind::Text(40), ""),
    };
    CommandParameter {
        name: name.to_owned(),
        label_zh: label_zh.to_owned(),
        label_en: label_en.to_owned(),
        kind,
        optional: written.ends_with('?'),
        preset: preset.to_owned(),
    }
}

/// Forms for the logger of an outlet.
pub(super) fn forms(outlet: &Outlet, edition: &str) -> Vec<CommandForm> {
    let column = match edition {
        "2005" => 0,
        "2025" => 2,
        _ => 1,
    };
    let understood = COMMANDS.iter().filter(|row| row.1[column]);
    understood
        .map(|(cn, _, intrusive, parameters, zh, en)| CommandForm {
            cn: (*cn).to_owned(),
            label_zh: (*zh).to_owned(),
            label_en: (*en).to_owned(),
            intrusive: *intrusive,
            parameters: parameters
                .split_whitespace()
                .map(|p| parameter(outlet, cn, p))
                .collect(),
        })
        .collect()
}
