//! Command codes (命令编码) of all editions in one list.
//!
//! The same number means different things in different editions (1001, 3013, 3014, 2062), so a
//! code is looked up together with the edition.

use super::edition::Edition;

/// Direction and habit of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The centre asks; the device answers 9011, data if any, 9012.
    Request,
    /// The centre asks or the device uploads, with the same number.
    Data,
    /// The device uploads; answered with 9014 when it asks for it.
    Upload,
    /// One side tells; answered with 9013.
    Notice,
    /// An answer (ST=91).
    Answer,
    /// Met in the field, in no edition of the standard.
    Private,
}

/// One meaning of one command code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command {
    /// The four digits.
    pub cn: &'static str,
    /// Editions in which the code has this meaning; empty for private codes.
    pub editions: &'static [Edition],
    /// Direction and habit.
    pub kind: Kind,
    /// Meaning in Chinese.
    pub zh: &'static str,
    /// Meaning in English.
    pub en: &'static str,
}

impl Command {
    /// Whether the edition has the code with this meaning; for the unknown edition, whether any
    /// edition has.
    #[must_use]
    pub fn is_in(&self, edition: Edition) -> bool {
        match edition {
            Edition::Unknown => !self.editions.is_empty(),
            _ => self.editions.contains(&edition),
        }
    }
}

const ALL: &[Edition] = &Edition::KNOWN;
const V05: &[Edition] = &[Edition::V2005];
const V17: &[Edition] = &[Edition::V2017];
const V17_25: &[Edition] = &[Edition::V2017, Edition::V2025];
const V25: &[Edition] = &[Edition::V2025];
const NONE: &[Edition] = &[];

const fn row(
    cn: &'static str,
    editions: &'static [Edition],
    kind: Kind,
    zh: &'static str,
    en: &'static str,
) -> Command {
    Command {
        cn,
        editions,
        kind,
        zh,
        en,
    }
}

/// Every command code, in order of number.
pub const COMMANDS: &[Command] = &[
    row(
        "1000",
        ALL,
        Kind::Request,
        "设置超时时间及重发次数",
        "set timeout and number of retries",
    ),
    row(
        "1001",
        V05,
        Kind::Request,
        "设置超限报警时间",
        "set alarm delay",
    ),
    row(
        "1001",
        V25,
        Kind::Notice,
        "上传数采仪硬件信息",
        "upload logger hardware identity",
    ),
    row(
        "1002",
        V25,
        Kind::Request,
        "设置设备唯一标识",
        "set device number",
    ),
    row("1011", ALL, Kind::Data, "提取现场机时间", "get device time"),
    row(
        "1012",
        ALL,
        Kind::Request,
        "设置现场机时间",
        "set device time",
    ),
    row(
        "1013",
        V17_25,
        Kind::Notice,
        "现场机时间校准请求",
        "device asks for the time",
    ),
    row(
        "1014",
        V25,
        Kind::Notice,
        "密钥更新",
        "change of encryption key",
    ),
    row(
        "1021",
        V05,
        Kind::Data,
        "提取污染物报警门限值",
        "get alarm limits",
    ),
    row(
        "1022",
        V05,
        Kind::Request,
        "设置污染物报警门限值",
        "set alarm limits",
    ),
    row(
        "1031",
        V05,
        Kind::Data,
        "提取上位机地址",
        "get address of the centre",
    ),
    row(
        "1032",
        V05,
        Kind::Request,
        "设置上位机地址",
        "set address of the centre",
    ),
    row(
        "1041",
        V05,
        Kind::Data,
        "提取数据上报时间",
        "get daily report time",
    ),
    row(
        "1042",
        V05,
        Kind::Request,
        "设置数据上报时间",
        "set daily report time",
    ),
    row(
        "1061",
        ALL,
        Kind::Data,
        "提取实时数据间隔",
        "get real-time interval",
    ),
    row(
        "1062",
        ALL,
        Kind::Request,
        "设置实时数据间隔",
        "set real-time interval",
    ),
    row(
        "1063",
        V17_25,
        Kind::Data,
        "提取分钟数据间隔",
        "get minute interval",
    ),
    row(
        "1064",
        V17_25,
        Kind::Request,
        "设置分钟数据间隔",
        "set minute interval",
    ),
    row(
        "1072",
        ALL,
        Kind::Request,
        "设置现场机密码",
        "set device password",
    ),
    row(
        "2000",
        NONE,
        Kind::Private,
        "厂家自定义数据",
        "maker's own data",
    ),
    row("2011", ALL, Kind::Data, "污染物实时数据", "real-time data"),
    row(
        "2012",
        ALL,
        Kind::Notice,
        "停止察看污染物实时数据",
        "stop real-time data",
    ),
    row(
        "2013",
        V25,
        Kind::Data,
        "污染物原始监测数据",
        "raw periodic monitoring data",
    ),
    row(
        "2021",
        ALL,
        Kind::Data,
        "设备运行状态数据",
        "facility state",
    ),
    row(
        "2022",
        ALL,
        Kind::Notice,
        "停止察看设备运行状态",
        "stop facility state",
    ),
    row("2031", ALL, Kind::Data, "污染物日历史数据", "day data"),
    row(
        "2041",
        ALL,
        Kind::Data,
        "设备运行时间日历史数据",
        "facility running time of a day",
    ),
    row("2051", ALL, Kind::Data, "污染物分钟数据", "minute data"),
    row(
        "2052",
        V25,
        Kind::Upload,
        "噪声单次监测数据",
        "single noise measurement",
    ),
    row("2061", ALL, Kind::Data, "污染物小时数据", "hour data"),
    row(
        "2062",
        V25,
        Kind::Data,
        "自动标样核查数据",
        "automatic standard check",
    ),
    row(
        "2062",
        NONE,
        Kind::Private,
        "地表水标样核查数据",
        "surface-water standard check",
    ),
    row(
        "2063",
        NONE,
        Kind::Private,
        "地表水加标回收数据",
        "surface-water spike recovery",
    ),
    row(
        "2064",
        NONE,
        Kind::Private,
        "地表水平行样数据",
        "surface-water parallel sample",
    ),
    row(
        "2065",
        NONE,
        Kind::Private,
        "地表水零点核查数据",
        "surface-water zero check",
    ),
    row(
        "2066",
        NONE,
        Kind::Private,
        "地表水跨度核查数据",
        "surface-water span check",
    ),
    row("2071", V05, Kind::Data, "污染物报警记录", "alarm records"),
    row("2072", V05, Kind::Notice, "上传报警事件", "alarm event"),
    row(
        "2081",
        V17_25,
        Kind::Upload,
        "上传数采仪开机时间",
        "logger start time",
    ),
    row(
        "2111",
        V25,
        Kind::Upload,
        "炉膛温度五分钟均值",
        "furnace temperature, 5-minute mean",
    ),
    row(
        "3011",
        ALL,
        Kind::Request,
        "零点校准量程校准",
        "zero and span calibration",
    ),
    row("3012", ALL, Kind::Request, "即时采样", "sample now"),
    row(
        "3013",
        V05,
        Kind::Request,
        "设备操作命令",
        "operate the device",
    ),
    row(
        "3013",
        V17_25,
        Kind::Request,
        "启动清洗反吹",
        "clean or blow back",
    ),
    row(
        "3014",
        V05,
        Kind::Request,
        "设置设备采样时间周期",
        "set sampling times",
    ),
    row(
        "3014",
        V17,
        Kind::Request,
        "比对采样",
        "comparison sampling",
    ),
    row(
        "3015",
        V17_25,
        Kind::Data,
        "超标留样",
        "keep sample on exceedance",
    ),
    row(
        "3016",
        V17,
        Kind::Request,
        "设置采样时间周期",
        "set sampling period",
    ),
    row(
        "3017",
        V17,
        Kind::Data,
        "提取采样时间周期",
        "get sampling period",
    ),
    row(
        "3018",
        V17_25,
        Kind::Data,
        "提取出样时间",
        "get time to result",
    ),
    row(
        "3019",
        V17_25,
        Kind::Data,
        "设备唯一标识",
        "instrument serial number",
    ),
    row(
        "3020",
        V17_25,
        Kind::Data,
        "现场机信息",
        "field information (log, state, parameter)",
    ),
    row(
        "3021",
        V17_25,
        Kind::Request,
        "设置现场机参数",
        "set a parameter of the device",
    ),
    row("3022", V25, Kind::Request, "即时留样", "keep a sample now"),
    row(
        "3024",
        V25,
        Kind::Request,
        "启动标样核查",
        "start a standard check",
    ),
    row(
        "5011",
        NONE,
        Kind::Private,
        "分析仪与数采仪间命令",
        "analyser to logger",
    ),
    row(
        "8013",
        NONE,
        Kind::Private,
        "动态管控参数",
        "dynamic control parameters",
    ),
    row("9011", ALL, Kind::Answer, "请求应答", "answer to a request"),
    row("9012", ALL, Kind::Answer, "执行结果", "result of execution"),
    row("9013", ALL, Kind::Answer, "通知应答", "answer to a notice"),
    row("9014", ALL, Kind::Answer, "数据应答", "answer to data"),
    row("9015", V25, Kind::Notice, "心跳包", "heartbeat"),
    row(
        "9021",
        NONE,
        Kind::Private,
        "登录注册",
        "log-in of provincial variants",
    ),
];

/// The meaning of a code in an edition. A code the edition does not have gives its nearest
/// meaning elsewhere (newest edition first, private last); `None` for a code in no list.
#[must_use]
pub fn command(cn: &str, edition: Edition) -> Option<&'static Command> {
    let rows = || COMMANDS.iter().filter(|row| row.cn == cn);
    rows()
        .find(|row| row.editions.contains(&edition))
        .or_else(|| rows().max_by_key(|row| row.editions.last().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_one_meaning_per_edition() {
        for (index, first) in COMMANDS.iter().enumerate() {
            assert_eq!(first.cn.len(), 4);
            assert_eq!(
                first.editions.is_empty(),
                first.kind == Kind::Private,
                "{}",
                first.cn
            );
            for second in &COMMANDS[index + 1..] {
                let overlap = first
                    .editions
                    .iter()
                    .any(|year| second.editions.contains(year));
                assert!(first.cn != second.cn || !overlap, "{}", first.cn);
            }
        }
        assert!(COMMANDS.is_sorted_by_key(|row| row.cn));
    }

    #[test]
    fn the_same_number_is_resolved_by_edition() {
        assert_eq!(command("1001", Edition::V2005).unwrap().kind, Kind::Request);
        assert_eq!(command("1001", Edition::V2025).unwrap().kind, Kind::Notice);
        assert_ne!(
            command("3013", Edition::V2005).unwrap().en,
            command("3013", Edition::V2017).unwrap().en
        );
        assert_eq!(command("2062", Edition::Unknown).unwrap().editions, V25);
        assert_eq!(command("9015", Edition::V2017).unwrap().kind, Kind::Notice);
        assert_eq!(command("4711", Edition::V2017), None);
    }
}
