//! Tests of the equipment, and rates.

use super::{Both, Formula, examples, symbol};
use crate::model::Sure;

const HJ75: Both = ("HJ 75-2017", "HJ 75-2017");
const ACCURACY: Both = ("相对准确度", "relative accuracy");
const NATIONAL: Both = (
    "自动监控数据传输有效率",
    "national rate of effective transmission",
);
const NOT_DUE: Both = (
    "没有应有数据时不适用，不是 0 %。",
    "Where nothing was due it is not applicable, never 0 %.",
);

pub(super) const FORMULAS: &[Formula] = &[
    Formula {
        id: "RA",
        number: "",
        standard: HJ75,
        clause: ACCURACY,
        sure: Some(Sure::V2),
        title: ("相对准确度", "Relative accuracy"),
        expression: "RA = (|d̄| + |cc|) ÷ RM × 100",
        symbols: &[
            symbol("RA", "相对准确度，%", "relative accuracy, %"),
            symbol(
                "d̄",
                "参比值减测量值的均值",
                "mean of reference minus equipment",
            ),
            symbol("cc", "置信系数", "confidence coefficient"),
            symbol("RM", "参比方法均值", "mean of the reference method"),
        ],
        edges: (
            "少于两对、参比均值不为正时不判定；气体至少 9 对（规则 qa.accuracy_pairs_min）。",
            "Not judged with fewer than two pairs or a reference mean that is not positive; gases \
             need nine (profile, qa.accuracy_pairs_min).",
        ),
        functions: &["qa::accuracy::accuracy"],
        example: examples::ra,
    },
    Formula {
        id: "CC",
        number: "",
        standard: HJ75,
        clause: ACCURACY,
        sure: Some(Sure::V2),
        title: ("置信系数", "Confidence coefficient"),
        expression: "cc = t × Sd ÷ √n",
        symbols: &[
            symbol(
                "t",
                "自由度 n − 1 的 t 值（双侧 95 %）",
                "Student's t for n − 1, 97.5 % point",
            ),
            symbol(
                "Sd",
                "差值的标准偏差（除以 n − 1）",
                "standard deviation of the differences, \
                 divisor n − 1",
            ),
            symbol("n", "数据对数", "pairs"),
        ],
        edges: (
            "少于两对、溢出时无值。",
            "No value with fewer than two pairs and on overflow.",
        ),
        functions: &["qa::stats::confidence", "qa::stats::standard_deviation"],
        example: examples::cc,
    },
    Formula {
        id: "relative-error",
        number: "",
        standard: HJ75,
        clause: ("相对误差、示值误差", "relative error, indication error"),
        sure: Some(Sure::V2),
        title: ("相对误差", "Relative error"),
        expression: "RE = (x − r) ÷ r × 100",
        symbols: &[
            symbol("RE", "相对误差，%", "relative error, %"),
            symbol("x", "设备测量值", "what the equipment showed"),
            symbol("r", "参比值或标准值", "reference or standard value"),
        ],
        edges: (
            "参比值不为正时不判定。",
            "Not judged for a reference that is not positive.",
        ),
        functions: &["qa::errors::pct_of_reference"],
        example: examples::relative_error,
    },
    Formula {
        id: "drift",
        number: "",
        standard: HJ75,
        clause: ("零点漂移、量程漂移", "zero and span drift"),
        sure: Some(Sure::M),
        title: ("漂移", "Drift"),
        expression: "d = (x − r) ÷ FS × 100",
        symbols: &[
            symbol("d", "漂移，满量程的百分比", "drift, percent of full scale"),
            symbol("x, r", "测量值、标准值", "reading and reference"),
            symbol("FS", "满量程", "full scale"),
        ],
        edges: (
            "满量程未知或不为正时不判定。",
            "Not judged without a positive full scale.",
        ),
        functions: &["qa::errors::pct_of_span"],
        example: examples::drift,
    },
    Formula {
        id: "BAF",
        number: "",
        standard: ("40 CFR 75", "40 CFR 75"),
        clause: ("附录 A 7.6.5", "appendix A, 7.6.5"),
        sure: Some(Sure::V),
        title: ("偏倚调整系数", "Bias adjustment factor"),
        expression: "BAF = 1 + |d̄| ÷ CEM",
        symbols: &[
            symbol(
                "d̄",
                "参比值减测量值的均值，大于 cc 时用",
                "mean of reference minus equipment, \
                 where above cc",
            ),
            symbol("CEM", "设备均值", "mean of the equipment"),
        ],
        edges: (
            "d̄ 不大于 cc 时为 1；设备均值不为正时无值。",
            "1 where d̄ is not above cc; no value for an equipment mean that is not positive.",
        ),
        functions: &["qa::accuracy::Accuracy::bias_adjustment_factor"],
        example: examples::baf,
    },
    Formula {
        id: "capture",
        number: "",
        standard: HJ75,
        clause: ("12.1.4", "12.1.4"),
        sure: Some(Sure::V2),
        title: ("有效数据捕集率", "Effective data capture rate"),
        expression: "α = (H − H_invalid − H_stop) ÷ (H − H_stop) × 100",
        symbols: &[
            symbol("α", "季度有效数据捕集率，%", "of the quarter, %"),
            symbol("H", "季度小时数", "hours of the quarter"),
            symbol("H_invalid", "无效或缺失小时数", "invalid or missing hours"),
            symbol("H_stop", "停运小时数", "hours stopped"),
        ],
        edges: (
            "全季停运时不适用，不是 0 %。规则 capture.formula 可改为除以 H。",
            "Not applicable, never 0 %, where the source was stopped throughout. A profile may \
             divide by H (capture.formula).",
        ),
        functions: &["rates::capture_pct"],
        example: examples::capture,
    },
    Formula {
        id: "transmission",
        number: "",
        standard: NATIONAL,
        clause: ("传输率", "transmission"),
        sure: Some(Sure::V2),
        title: ("传输率", "Transmission rate"),
        expression: "T = N_received ÷ N_due × 100",
        symbols: &[
            symbol(
                "N_received",
                "收到的记录数，不超过应收数",
                "records received, at most those due",
            ),
            symbol("N_due", "应收记录数", "records due"),
        ],
        edges: NOT_DUE,
        functions: &["rates::Counts::rates"],
        example: examples::transmission,
    },
    Formula {
        id: "validity",
        number: "",
        standard: NATIONAL,
        clause: ("有效率", "validity"),
        sure: Some(Sure::V2),
        title: ("有效率", "Validity rate"),
        expression: "V = H_valid ÷ H_judged × 100",
        symbols: &[
            symbol("H_valid", "有效小时数", "valid hours"),
            symbol(
                "H_judged",
                "未停运且有数据的小时数",
                "hours with data while not stopped",
            ),
        ],
        edges: NOT_DUE,
        functions: &["rates::Counts::rates"],
        example: examples::validity,
    },
    Formula {
        id: "effective-transmission",
        number: "",
        standard: NATIONAL,
        clause: ("传输有效率", "effective transmission"),
        sure: Some(Sure::V2),
        title: ("传输有效率", "Effective transmission rate"),
        expression: "E = T × V ÷ 100",
        symbols: &[
            symbol("T", "传输率，%", "transmission rate, %"),
            symbol("V", "有效率，%", "validity rate, %"),
        ],
        edges: (
            "没有应收数据时不适用；应收而全未收到时为 0。",
            "Not applicable where nothing was due; zero where nothing came of what was due.",
        ),
        functions: &["rates::Counts::rates"],
        example: examples::effective,
    },
];
