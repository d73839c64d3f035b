//! Second-hand: what HJ 212-2025 changes in the requests of a centre, as quoted publicly. The text
//! of the standard was not at hand; everything that rests on quotations stands here.

use super::super::edition::Edition;
use super::catalogue::{Order, ParamKind, Parameter, Presence, Reply};
use super::rows::{BEGIN, END, POL_ID, get, present, required, set};

const V25: &[Edition] = &[Edition::V2025];

/// Length of an SM4 key in characters.
const KEY_LEN: usize = 16;

const CALIBRATION_TYPE: Parameter = present(
    required(
        "CalibrationType",
        "校准类型",
        "kind of calibration",
        ParamKind::Text { max: 20 },
    ),
    Presence::Optional,
);

/// Requests that only 2025 has, or has with other parameters.
pub(super) static ORDERS: &[Order] = &[
    set(
        "1002",
        V25,
        "设置设备唯一标识",
        "set device number",
        &[
            required(
                "MN",
                "设备唯一标识",
                "new device number, 24 hex digits",
                ParamKind::Text { max: 24 },
            ),
            required(
                "i23005",
                "数采仪编号",
                "number of the logger, from its identity",
                ParamKind::Text { max: 64 },
            ),
        ],
    ),
    set(
        "1014",
        V25,
        "设置密钥",
        "set encryption key",
        &[
            required(
                "SKCreateTime",
                "密钥生成时间",
                "when the key was made",
                ParamKind::Time,
            ),
            required(
                "NewSK",
                "新密钥",
                "new key",
                ParamKind::Secret { len: KEY_LEN },
            ),
        ],
    ),
    get(
        "2013",
        V25,
        "提取污染物原始监测数据",
        "fetch raw periodic data",
        &[BEGIN, END],
        Reply::Records("2013"),
    ),
    get(
        "2062",
        V25,
        "提取自动标样核查数据",
        "fetch automatic standard checks",
        &[BEGIN, END],
        Reply::Records("2062"),
    ),
    set(
        "3011",
        V25,
        "零点校准量程校准",
        "zero and span calibration",
        &[POL_ID, CALIBRATION_TYPE],
    ),
    set("3022", V25, "即时留样", "keep a sample now", &[POL_ID]),
    set(
        "3024",
        V25,
        "启动标样核查",
        "start a standard check",
        &[POL_ID],
    ),
];
