//! HJ 212-2017 annex D (18) to (34).

use super::{Both, Formula, Symbol, examples, symbol};
use crate::model::Sure;

const STANDARD: Both = ("HJ 212-2017", "HJ 212-2017");
const CLAUSE: Both = ("附录 D", "annex D");

const BA: Symbol = symbol("Ba", "大气压力，Pa", "atmospheric pressure, Pa");
const PS: Symbol = symbol(
    "Ps",
    "烟道静压（表压，可为负），Pa",
    "static pressure of the duct against the atmosphere, may be negative, Pa",
);
const TS: Symbol = symbol("ts", "烟气温度，°C", "gas temperature, °C");
const T0: Symbol = symbol(
    "T₀",
    "标准状态温度（规则 kelvin_offset，273），K",
    "standard temperature, by the profile (kelvin_offset, 273), K",
);
const P0: Symbol = symbol(
    "p₀",
    "标准状态压力（规则 standard_pressure_pa，101325），Pa",
    "standard pressure, by the profile (standard_pressure_pa, 101325), Pa",
);
const XSW: Symbol = symbol("Xsw", "烟气含湿量，%", "moisture, % v/v");
const C_DRY: Symbol = symbol(
    "C",
    "标态干基浓度，因子的单位（mg/m³）",
    "dry standard concentration, the factor's unit (mg/m³)",
);
const C_REF: Symbol = symbol(
    "C_ref",
    "折算浓度，因子的单位",
    "concentration at reference oxygen, the factor's unit",
);
const AIR: Symbol = symbol(
    "O₂air",
    "空气氧含量（规则 air_o2_pct，21），%",
    "oxygen of air, by the profile (air_o2_pct, 21), % v/v",
);
const O2: Symbol = symbol("O₂", "干基氧含量，%", "oxygen of dry gas, % v/v");
const V_M: Symbol = symbol(
    "Vm",
    "标准状态摩尔体积（规则 molar_volume_l，22.4），L/mol",
    "volume of a mole at the standard state, by the profile (molar_volume_l, 22.4), L/mol",
);

const OVERFLOW: Both = ("溢出时无值。", "No value on overflow.");
const EMPTY: Both = (
    "没有有效值或溢出时无值。",
    "No value without a valid one and on overflow.",
);

const fn of(id: &'static str, number: &'static str, title: Both) -> Formula {
    Formula {
        id,
        number,
        standard: STANDARD,
        clause: CLAUSE,
        sure: Some(Sure::V),
        title,
        expression: "",
        symbols: &[],
        edges: OVERFLOW,
        functions: &[],
        example: examples::d18,
    }
}

pub(super) const FORMULAS: &[Formula] = &[
    Formula {
        expression: "C_sn = C_s × p₀ ÷ (Ba + Ps) × (T₀ + ts) ÷ T₀",
        symbols: &[
            symbol(
                "C_sn",
                "标态浓度，湿度基不变",
                "concentration at the standard state, its \
                 moisture as it was",
            ),
            symbol(
                "C_s",
                "工况浓度，因子的单位",
                "concentration in the duct, the factor's unit",
            ),
            BA,
            PS,
            TS,
            T0,
            P0,
        ],
        edges: (
            "绝对压力或绝对温度不为正、溢出时无值。",
            "No value where absolute pressure or temperature would not be positive, and on \
             overflow.",
        ),
        functions: &["formula::gas::d18_standard"],
        example: examples::d18,
        ..of(
            "D18",
            "(18)",
            ("工况浓度换算为标态浓度", "Actual to standard state"),
        )
    },
    Formula {
        expression: "C_dry = C_wet ÷ (1 − Xsw ÷ 100)；O₂dry = O₂wet ÷ (1 − Xsw ÷ 100)",
        symbols: &[
            symbol(
                "C_dry, O₂dry",
                "干基浓度、干基氧含量",
                "dry concentration, dry oxygen",
            ),
            symbol(
                "C_wet, O₂wet",
                "湿基浓度、湿基氧含量",
                "wet concentration, wet oxygen",
            ),
            XSW,
        ],
        edges: (
            "含湿量小于 0 或达到 100 % 时无值。",
            "No value for moisture below 0 or at 100 % and above.",
        ),
        functions: &["formula::gas::d19_dry", "formula::gas::d19_dry_oxygen"],
        example: examples::d19,
        ..of("D19", "(19)", ("湿基换算为干基", "Wet to dry"))
    },
    Formula {
        expression: "C = M ÷ Vm × ppm",
        symbols: &[
            symbol("C", "质量浓度，mg/m³", "mass concentration, mg/m³"),
            symbol("M", "摩尔质量，g/mol", "molar mass, g/mol"),
            V_M,
            symbol("ppm", "体积浓度，µmol/mol", "volume fraction, µmol/mol"),
        ],
        edges: (
            "摩尔体积不为正、溢出时无值。不用 25 °C 的 24.45。",
            "No value for a molar volume that is not positive, and on overflow. Never the 24.45 \
             of 25 °C.",
        ),
        functions: &["formula::gas::d20_mass_from_ppm", "convert::mass_from_ppm"],
        example: examples::d20,
        ..of(
            "D20",
            "(20)",
            (
                "体积浓度换算为质量浓度",
                "Volume fraction to mass concentration",
            ),
        )
    },
    Formula {
        expression: "NOx = NO × M(NO₂) ÷ M(NO) + NO₂",
        symbols: &[
            symbol("NOx", "以 NO₂ 计的氮氧化物，mg/m³", "NOx as NO₂, mg/m³"),
            symbol("NO, NO₂", "质量浓度，mg/m³", "mass concentrations, mg/m³"),
            symbol(
                "M",
                "摩尔质量，NO 30.006、NO₂ 46.005，g/mol",
                "molar mass: NO 30.006, \
                 NO₂ 46.005, g/mol",
            ),
        ],
        functions: &["formula::gas::d21_nox_from_mass"],
        example: examples::d21,
        ..of(
            "D21",
            "(21)",
            ("由质量浓度计算氮氧化物", "NOx from mass concentrations"),
        )
    },
    Formula {
        expression: "NOx = (NO + NO₂) × M(NO₂) ÷ Vm",
        symbols: &[
            symbol("NOx", "以 NO₂ 计的氮氧化物，mg/m³", "NOx as NO₂, mg/m³"),
            symbol(
                "NO, NO₂",
                "体积浓度，µmol/mol",
                "volume fractions, µmol/mol",
            ),
            symbol("M(NO₂)", "46.005 g/mol", "46.005 g/mol"),
            V_M,
        ],
        functions: &["formula::gas::d22_nox_from_ppm", "convert::nox_from_ppm"],
        example: examples::d22,
        ..of(
            "D22",
            "(22)",
            ("由体积浓度计算氮氧化物", "NOx from volume fractions"),
        )
    },
    Formula {
        expression: "C̄ = Σ Cᵢ ÷ n",
        symbols: &[
            symbol("Cᵢ", "分钟内有效实时值", "valid readings of the minute"),
            symbol("n", "其个数（至少 12）", "their number, at least 12"),
        ],
        edges: EMPTY,
        functions: &["formula::mean"],
        example: examples::d23,
        ..of("D23", "(23)", ("分钟均值", "Minute mean"))
    },
    Formula {
        expression: "C̄ = Σ Cᵢ ÷ k",
        symbols: &[
            symbol(
                "Cᵢ",
                "小时内有效分钟均值；多分钟记录按其分钟数计",
                "valid minute means of the \
                 hour; a record of several minutes counts for each of them",
            ),
            symbol(
                "k",
                "有效分钟数（规则 hour_min_valid_minutes，45）",
                "valid minutes, by the \
                 profile (hour_min_valid_minutes, 45)",
            ),
        ],
        edges: (
            "没有有效分钟时无值；不足 45 分钟时均值保留但不计为有效。",
            "No value without a valid minute; with fewer than needed the mean is kept but does \
             not count.",
        ),
        functions: &["aggregate::hour", "formula::mean"],
        example: examples::d24,
        ..of("D24", "(24)", ("小时均值", "Hour mean"))
    },
    Formula {
        expression: "C̄ = Σ Cᵢ ÷ m",
        symbols: &[
            symbol("Cᵢ", "日内有效小时均值", "valid hour means of the day"),
            symbol(
                "m",
                "有效小时数（规则 day_min_valid_hours，20）",
                "valid hours, by the \
                 profile (day_min_valid_hours, 20)",
            ),
        ],
        edges: (
            "没有有效小时时无值；不足时均值保留但不计为有效。",
            "No value without a valid hour; with fewer than needed the mean is kept but does not \
             count.",
        ),
        functions: &["aggregate::longer", "formula::mean"],
        example: examples::d25,
        ..of("D25", "(25)", ("日均值", "Day mean"))
    },
    Formula {
        expression: "C_ref = C × α ÷ α_s",
        symbols: &[
            C_REF,
            C_DRY,
            symbol("α", "实测过量空气系数", "measured excess air coefficient"),
            symbol(
                "α_s",
                "标准规定的过量空气系数",
                "that of the emission standard",
            ),
        ],
        edges: (
            "α_s 为零、溢出时无值。",
            "No value for an α_s of zero and on overflow.",
        ),
        functions: &["formula::gas::d26_converted_by_alpha"],
        example: examples::d26,
        ..of(
            "D26",
            "(26)",
            ("按过量空气系数折算", "Conversion by excess air"),
        )
    },
    Formula {
        expression: "α = O₂air ÷ (O₂air − O₂)",
        symbols: &[
            symbol("α", "过量空气系数", "excess air coefficient"),
            AIR,
            O2,
        ],
        edges: (
            "氧含量达到空气氧含量时无值。",
            "No value where oxygen reaches that of air.",
        ),
        functions: &["formula::gas::d27_alpha"],
        example: examples::d27,
        ..of("D27", "(27)", ("过量空气系数", "Excess air coefficient"))
    },
    Formula {
        expression: "C_ref = C × (O₂air − O₂ref) ÷ (O₂air − O₂)",
        symbols: &[
            C_REF,
            C_DRY,
            AIR,
            symbol("O₂ref", "基准氧含量，%", "reference oxygen, % v/v"),
            O2,
        ],
        edges: (
            "氧含量达到空气氧含量、或达到规则的保护值（o2_guard_pct）时无值，不给负值和零。",
            "No value where oxygen reaches that of air or the guard of the profile \
             (o2_guard_pct): never a negative value, never zero.",
        ),
        functions: &["formula::gas::d28_converted"],
        example: examples::d28,
        ..of(
            "D28",
            "(28)",
            ("按基准氧含量折算", "Conversion to reference oxygen"),
        )
    },
    Formula {
        expression: "Vs = Kv × Vp",
        symbols: &[
            symbol(
                "Vs",
                "断面平均流速，m/s",
                "mean velocity of the section, m/s",
            ),
            symbol("Kv", "速度场系数", "velocity field coefficient"),
            symbol("Vp", "测点流速，m/s", "velocity at the point, m/s"),
        ],
        functions: &["formula::gas::d29_section_velocity"],
        example: examples::d29,
        ..of(
            "D29",
            "(29)",
            ("断面平均流速", "Mean velocity of the section"),
        )
    },
    Formula {
        expression: "Q_sh = 3600 × F × Vs",
        symbols: &[
            symbol("Q_sh", "工况湿流量，m³/h", "actual wet flow, m³/h"),
            symbol("F", "断面面积，m²", "area of the section, m²"),
            symbol(
                "Vs",
                "断面平均流速，m/s",
                "mean velocity of the section, m/s",
            ),
        ],
        functions: &["formula::gas::d30_actual_flow"],
        example: examples::d30,
        ..of("D30", "(30)", ("工况湿流量", "Actual wet flow"))
    },
    Formula {
        expression: "Q_sn = Q_sh × T₀ ÷ (T₀ + ts) × (Ba + Ps) ÷ p₀ × (1 − Xsw ÷ 100)",
        symbols: &[
            symbol("Q_sn", "标态干流量，m³/h", "dry standard flow, m³/h"),
            symbol("Q_sh", "工况湿流量，m³/h", "actual wet flow, m³/h"),
            BA,
            PS,
            TS,
            T0,
            P0,
            XSW,
        ],
        edges: (
            "绝对压力或绝对温度不为正、含湿量小于 0 或达到 100 %、所需小时均值无效时无值。",
            "No value where absolute pressure or temperature would not be positive, for moisture \
             below 0 or at 100 % and above, and where a mean it needs does not count.",
        ),
        functions: &[
            "formula::gas::d31_standard_dry_flow",
            "formula::gas::d31_standard_flow",
            "formula::gas::d31_dry_flow",
        ],
        example: examples::d31,
        ..of("D31", "(31)", ("标态干流量", "Dry standard flow"))
    },
    Formula {
        expression: "Q_d = Σ Q_sn,h",
        symbols: &[symbol(
            "Q_sn,h",
            "有效小时的标态干排气量，m³",
            "dry standard volume of the \
             hours that have one, m³",
        )],
        edges: EMPTY,
        functions: &["formula::sum"],
        example: examples::d32,
        ..of(
            "D32",
            "(32)",
            ("日标态干排气量", "Dry standard volume of a day"),
        )
    },
    Formula {
        expression: "G_h = C × Q_sn × k",
        symbols: &[
            symbol(
                "G_h",
                "排放速率，kg/h；一小时即为排放量，kg",
                "emission rate, kg/h; over one \
                 hour the amount, kg",
            ),
            symbol(
                "C",
                "标态干基浓度，不用折算浓度",
                "dry standard concentration, never the \
                 converted one",
            ),
            symbol("Q_sn", "标态干流量，m³/h", "dry standard flow, m³/h"),
            symbol(
                "k",
                "浓度单位乘 m³ 的千克数，mg/m³ 时为 10⁻⁶",
                "kilograms of one unit of \
                 concentration times one m³: 10⁻⁶ for mg/m³",
            ),
        ],
        edges: (
            "均值无效或没有流量的小时无值。",
            "No value for an hour whose mean does not count or that has no flow.",
        ),
        functions: &["formula::gas::d33_rate_kg_per_h"],
        example: examples::d33,
        ..of("D33", "(33)", ("排放速率", "Emission rate"))
    },
    Formula {
        expression: "G_d = Σ G_h",
        symbols: &[symbol(
            "G_h",
            "各小时排放量，kg",
            "amounts of the hours, kg",
        )],
        edges: EMPTY,
        functions: &["formula::sum"],
        example: examples::d34,
        ..of("D34", "(34)", ("日排放量", "Amount of a day"))
    },
];
