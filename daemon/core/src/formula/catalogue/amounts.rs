//! Limits, substitutes, permitted amounts, the basis of the tax.

use super::{Both, Formula, examples, symbol};
use crate::model::Sure;

const OWN: Both = ("本程序", "this program");
const SHORT: Both = (
    "历史数据不足时用已有的，并注明个数；一个也没有时无值。浓度和烟气参数不替代。",
    "Where history is short, what exists is used and its number is told; without any there is \
     no value. Concentrations and gas parameters stay as they are.",
);

pub(super) const FORMULAS: &[Formula] = &[
    Formula {
        id: "multiple",
        number: "",
        standard: ("通行定义", "common definition"),
        clause: ("超标倍数", "exceedance multiple"),
        sure: Some(Sure::M),
        title: ("超标倍数", "Exceedance multiple"),
        expression: "B = C ÷ S − 1",
        symbols: &[
            symbol(
                "C",
                "判定值，因子的单位",
                "judged figure, the factor's unit",
            ),
            symbol("S", "限值上限", "upper limit"),
        ],
        edges: (
            "未超过上限、限值不为正时无值；等于限值不算超标。",
            "No value within the limit or for one that is not positive; a figure that equals the \
             limit is within it.",
        ),
        functions: &["limits::multiple"],
        example: examples::multiple,
    },
    Formula {
        id: "confidence",
        number: "",
        standard: ("2010/75/EU", "2010/75/EU"),
        clause: ("附件 VI 第 6、8 部分", "annex VI parts 6 and 8"),
        sure: Some(Sure::M),
        title: ("减去置信区间的均值", "Mean less the confidence interval"),
        expression: "C_v = max(C − S × p ÷ 100, 0)",
        symbols: &[
            symbol("C", "均值", "mean"),
            symbol("S", "限值上限", "upper limit"),
            symbol(
                "p",
                "限值的百分比（规则 confidence_pct）",
                "share of the limit, by the profile \
                 (confidence_pct), %",
            ),
        ],
        edges: (
            "规则未列的因子不减。",
            "Nothing is subtracted for factors the profile does not list.",
        ),
        functions: &["limits::validated"],
        example: examples::confidence,
    },
    Formula {
        id: "substitute-max",
        number: "",
        standard: ("HJ 75-2017", "HJ 75-2017"),
        clause: ("12.2，表 5、表 6", "12.2, tables 5 and 6"),
        sure: Some(Sure::V2),
        title: (
            "缺失小时排放量：回溯最大值",
            "Missing hour: greatest of those looked back upon",
        ),
        expression: "G = max(G₁ … G_N)",
        symbols: &[
            symbol(
                "Gᵢ",
                "此前有效小时的排放量，kg",
                "amounts of preceding valid hours, kg",
            ),
            symbol(
                "N",
                "180、720 或 2160，按捕集率和连续无效小时数",
                "180, 720 or 2160, by \
                 capture rate and length of the gap",
            ),
        ],
        edges: SHORT,
        functions: &["substitute::quarter", "substitute::tier"],
        example: examples::substitute_max,
    },
    Formula {
        id: "substitute-day-max",
        number: "",
        standard: ("HJ 356-2019", "HJ 356-2019"),
        clause: ("第 8 章", "chapter 8"),
        sure: Some(Sure::M),
        title: (
            "缺失日排放量：回溯最大值",
            "Missing day: greatest of those looked back upon",
        ),
        expression: "G_d = max(G_d1 … G_d30)",
        symbols: &[symbol(
            "G_dᵢ",
            "末次合格校准或校验前有效日排放量，kg",
            "valid daily loads \
             before the last passed check, kg",
        )],
        edges: SHORT,
        functions: &["substitute::quarter"],
        example: examples::substitute_day_max,
    },
    Formula {
        id: "preceding-mean",
        number: "",
        standard: ("HJ/T 356-2007", "HJ/T 356-2007"),
        clause: ("缺失数据", "missing data"),
        sure: Some(Sure::V2),
        title: (
            "前一等长时段均值",
            "Mean of the preceding period of equal length",
        ),
        expression: "G = Σ Gᵢ ÷ n",
        symbols: &[
            symbol(
                "Gᵢ",
                "此前 n 个有效小时的排放量，kg",
                "amounts of the n valid hours before, kg",
            ),
            symbol("n", "缺失小时数", "hours of the gap"),
        ],
        edges: SHORT,
        functions: &["substitute::quarter"],
        example: examples::preceding_mean,
    },
    Formula {
        id: "used",
        number: "",
        standard: OWN,
        clause: ("许可排放量", "permitted amount"),
        sure: None,
        title: ("许可排放量已用比例", "Share of a permitted amount"),
        expression: "u = G ÷ G_permitted × 100",
        symbols: &[
            symbol(
                "G",
                "时段内实测与替代排放量之和，kg",
                "measured and substituted amount, kg",
            ),
            symbol("G_permitted", "许可排放量，kg", "permitted amount, kg"),
        ],
        edges: (
            "许可排放量不为正时无值。严格大于 100 % 才是超总量。",
            "No value for an amount that is not positive. Only more than 100 % exceeds it.",
        ),
        functions: &["totals::used_pct"],
        example: examples::used,
    },
    Formula {
        id: "tax-below",
        number: "",
        standard: (
            "环境保护税法及其实施条例",
            "Environmental Protection Tax Law and regulations",
        ),
        clause: ("第十三条；第十条", "article 13; article 10"),
        sure: Some(Sure::V),
        title: ("低于标准的百分数", "Percentage below the standard"),
        expression: "b = (S − C̄) ÷ S × 100",
        symbols: &[
            symbol("S", "排放标准限值", "limit of the emission standard"),
            symbol(
                "C̄",
                "月均值：废气为小时均值、废水为日均值的平均",
                "month mean: of hour means \
                 for gas, of day means for water",
            ),
        ],
        edges: (
            "限值不为正时无值；任一小时（日）均值超标则不减征。",
            "No value for a limit that is not positive; one mean over the limit takes the \
             reduction away.",
        ),
        functions: &["permits::tax::below_pct", "permits::tax::tax_basis"],
        example: examples::tax_below,
    },
    Formula {
        id: "projection",
        number: "",
        standard: OWN,
        clause: ("年排放量预测", "projection of the year"),
        sure: None,
        title: ("年底排放量预测", "Projection to the end of the year"),
        expression: "Ĝ = G + r × F；区间 / interval ± t × √(v × (F + F² ÷ W))",
        symbols: &[
            symbol("G", "至今排放量，kg", "total so far, kg"),
            symbol(
                "r",
                "每单位权重的日排放量，kg",
                "amount of a day of weight one, kg",
            ),
            symbol(
                "F, W",
                "剩余日、已有日的权重（季节系数）",
                "weight of the days to come and of \
                 those known (seasons)",
            ),
            symbol(
                "v",
                "单位权重的方差（七日块）",
                "variance of a unit of weight, from blocks of \
                 seven days",
            ),
            symbol(
                "t",
                "块数减一的 t 值",
                "Student's t for the blocks less one",
            ),
        ],
        edges: (
            "少于 28 天或 4 块数据、许可排放量不为正时不预测。",
            "Nothing is projected from fewer than 28 days or 4 blocks, or for an amount that is \
             not positive.",
        ),
        functions: &["permits::projection::project"],
        example: examples::projection,
    },
];
