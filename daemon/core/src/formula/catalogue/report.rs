//! The catalogue as a document.

use super::{Both, Formula, PARTS};
use crate::lang::Lang;

/// A report of every formula with source, symbols, edges and an example worked now, in Markdown.
pub fn report_markdown(lang: Lang) -> String {
    let mut out = String::from(say(lang, ("# 公式\n\n", "# Formulas\n\n")));
    out.push_str(say(
        lang,
        (
            "本文由程序的公式目录生成，示例由计算该公式的函数现算。依据标记：V 读自标准、法规或监管\
             部门自己的软件和数据；V2 读自二手来源；M 凭记忆，用于判定前须核对；— 不出自标准。\n",
            "Made from the program's own list of formulas; the examples are worked by the \
             functions that compute. Marks: V read in the standard, law or the regulator's own \
             software and data; V2 read in a secondary source; M recalled, to be checked before \
             it decides anything; — from no standard.\n",
        ),
    ));
    for (title, formulas) in PARTS {
        out.push_str(&format!("\n## {}\n", say(lang, title)));
        for formula in formulas {
            entry(&mut out, formula, lang);
        }
    }
    out
}

fn say(lang: Lang, (zh, en): Both) -> &'static str {
    match lang {
        Lang::Zh => zh,
        Lang::En => en,
    }
}

fn entry(out: &mut String, formula: &Formula, lang: Lang) {
    let say = |text: Both| say(lang, text);
    let sure = formula.sure.map_or("—", |sure| sure.as_str());
    let clause = [say(formula.clause), formula.number];
    let clause: Vec<&str> = clause.into_iter().filter(|text| !text.is_empty()).collect();
    let comma = say(("，", ", "));
    out.push_str(&format!(
        "\n### {} — {}\n\n",
        formula.id,
        say(formula.title)
    ));
    out.push_str(&format!("`{}`\n\n", formula.expression));
    out.push_str(&format!(
        "- {}{}{comma}{} [{sure}]\n",
        say(("依据：", "Source: ")),
        say(formula.standard),
        clause.join(" "),
    ));
    if !formula.symbols.is_empty() {
        let symbols: Vec<String> = formula
            .symbols
            .iter()
            .map(|symbol| format!("`{}` {}", symbol.name, say(symbol.meaning)))
            .collect();
        out.push_str(&format!(
            "- {}{}\n",
            say(("符号：", "Symbols: ")),
            symbols.join(say(("；", "; ")))
        ));
    }
    out.push_str(&format!(
        "- {}{}\n",
        say(("边界：", "Edges: ")),
        say(formula.edges)
    ));
    out.push_str(&format!(
        "- {}{}\n",
        say(("示例：", "Example: ")),
        example(formula, lang)
    ));
    out.push_str(&format!(
        "- {}`{}`\n",
        say(("函数：", "Function: ")),
        formula.functions.join("`, `")
    ));
}

fn example(formula: &Formula, lang: Lang) -> String {
    let worked = (formula.example)();
    let value = match worked.value {
        Some(value) => format!("{} {}", value.normalize(), worked.unit),
        None => say(lang, ("无值", "no value")).to_owned(),
    };
    let case = worked.case.map(|(case, _)| match lang {
        Lang::Zh => format!("（算例 {case}）"),
        Lang::En => format!(" (worked case {case})"),
    });
    let value = value.trim_end();
    format!("{} = {value}{}", worked.with, case.unwrap_or_default())
}
