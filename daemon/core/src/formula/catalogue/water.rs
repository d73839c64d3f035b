//! HJ 212-2017 annex D for waste water, and pH.

use super::{Both, Formula, examples, symbol};
use crate::model::Sure;

const STANDARD: Both = ("HJ 212-2017", "HJ 212-2017");
const CLAUSE: Both = ("附录 D", "annex D");

pub(super) const FORMULAS: &[Formula] = &[
    Formula {
        id: "D-water-volume",
        number: "",
        standard: STANDARD,
        clause: CLAUSE,
        sure: Some(Sure::V),
        title: ("时段水量", "Volume of a slice"),
        expression: "D = Q × T × 10⁻³",
        symbols: &[
            symbol("D", "水量，m³", "volume, m³"),
            symbol("Q", "流量，L/s", "flow, L/s"),
            symbol("T", "时段长度，s", "length of the slice, s"),
        ],
        edges: (
            "溢出时无值；流量无效的时段不计。",
            "No value on overflow; slices without a valid flow are left out.",
        ),
        functions: &["formula::water::slice_volume"],
        example: examples::water_volume,
    },
    Formula {
        id: "D-water-amount",
        number: "",
        standard: STANDARD,
        clause: CLAUSE,
        sure: Some(Sure::V),
        title: ("时段排放量", "Amount of a slice"),
        expression: "G = D × C × k",
        symbols: &[
            symbol("G", "排放量，kg", "amount, kg"),
            symbol("D", "水量，m³", "volume, m³"),
            symbol("C", "浓度，mg/L", "concentration, mg/L"),
            symbol(
                "k",
                "浓度单位乘 m³ 的千克数，mg/L 时为 10⁻³",
                "kilograms of one unit of \
                 concentration times one m³: 10⁻³ for mg/L",
            ),
        ],
        edges: (
            "浓度或流量无效的时段不计；溢出时无值。均值无效的小时，所见排放量仍计入。",
            "Slices without a valid flow and concentration are left out; no value on overflow. \
             What was seen to leave in an hour that does not count is counted.",
        ),
        functions: &["formula::water::slice_amount"],
        example: examples::water_amount,
    },
    Formula {
        id: "D-water-weighted",
        number: "",
        standard: STANDARD,
        clause: CLAUSE,
        sure: Some(Sure::V),
        title: ("流量加权均值", "Mean weighted by flow"),
        expression: "C̄ = Σ(D × C) ÷ ΣD",
        symbols: &[
            symbol("D", "各时段水量，m³", "volumes of the slices, m³"),
            symbol(
                "C",
                "各时段浓度，因子的单位",
                "their concentrations, the factor's unit",
            ),
        ],
        edges: (
            "水量为零时无值：零流量时的读数不说明排放情况。",
            "No value without volume: readings at zero flow say nothing about a discharge.",
        ),
        functions: &["formula::water::weighted_mean"],
        example: examples::water_weighted,
    },
    Formula {
        id: "ph-mean",
        number: "",
        standard: (
            "省级数据计算考核",
            "assessment of calculations by a province",
        ),
        clause: (
            "推荐方法：水的离子平衡",
            "recommended method: ion balance of water",
        ),
        sure: Some(Sure::V2),
        title: ("pH 均值", "Mean of pH"),
        expression: "E = Σ(10^(7−pH) − 10^(pH−7)) ÷ n；pH̄ = 7 ∓ lg((|E| + √(E² + 4)) ÷ 2)",
        symbols: &[
            symbol(
                "E",
                "酸过量的均值，10⁻⁷ mol/L",
                "mean excess of acid over base, 10⁻⁷ mol/L",
            ),
            symbol("n", "有效值个数", "number of valid values"),
            symbol(
                "∓",
                "E 为正时减，为负时加",
                "minus where E is positive, plus where negative",
            ),
        ],
        edges: (
            "没有值、有值在 0 至 14 之外时无值。",
            "No value without one, and when one lies outside 0 to 14.",
        ),
        functions: &["formula::ph::mean", "formula::ph::mean_weighted"],
        example: examples::ph_mean,
    },
];
