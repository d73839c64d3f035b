//! Means, sums and rounding that are not annex D's.

use super::{Formula, examples, symbol};
use crate::model::Sure;

pub(super) const FORMULAS: &[Formula] = &[
    Formula {
        id: "mean",
        number: "",
        standard: ("HJ 76-2017", "HJ 76-2017"),
        clause: ("附录 B", "annex B"),
        sure: Some(Sure::V2),
        title: (
            "算术平均（月、年，及不加权的废水因子）",
            "Arithmetic mean (months, years, and \
             factors of waste water that are not weighted)",
        ),
        expression: "x̄ = Σ xᵢ ÷ n",
        symbols: &[
            symbol(
                "xᵢ",
                "有效的较短时段均值",
                "means of the valid shorter periods",
            ),
            symbol("n", "其个数", "their number"),
        ],
        edges: (
            "没有有效值或溢出时无值。",
            "No value without a valid one and on overflow.",
        ),
        functions: &["formula::mean"],
        example: examples::mean,
    },
    Formula {
        id: "sum",
        number: "",
        standard: ("HJ 75-2017", "HJ 75-2017"),
        clause: ("月、年排放量", "amounts of months and years"),
        sure: Some(Sure::M),
        title: ("合计（水量、排放量）", "Sum (volumes, amounts)"),
        expression: "G = Σ Gᵢ",
        symbols: &[symbol(
            "Gᵢ",
            "各较短时段的量，m³ 或 kg",
            "of the shorter periods, m³ or kg",
        )],
        edges: (
            "没有可加的量或溢出时无值；超标时段的排放量照计。",
            "No value without anything to add and on overflow; what left while over a limit \
             counts.",
        ),
        functions: &["formula::sum"],
        example: examples::sum,
    },
    Formula {
        id: "round",
        number: "",
        standard: ("GB/T 8170", "GB/T 8170"),
        clause: ("数值修约规则", "rules of rounding"),
        sure: Some(Sure::M),
        title: ("修约", "Rounding"),
        expression: "四舍六入五成双 / half to even",
        symbols: &[],
        edges: (
            "规则可改为四舍五入（EPA）；计算值内部保留 12 位小数，不影响判定。",
            "A profile may have half away from zero (EPA); computed values keep 12 decimals, on \
             which no verdict turns.",
        ),
        functions: &["limits::round", "quantity::internal"],
        example: examples::round,
    },
];
