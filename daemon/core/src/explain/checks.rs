//! The checks of values, as explanations name them. The only place here that knows how checks are
//! listed.

use super::node::{Node, Outcome};
use super::scene::Scene;
use crate::lang::Text;
use crate::model::{CheckCode, Clue, Level, StoredValue, Timestamp};
use crate::validate;

/// What is wrong: number and words.
pub(super) fn text(code: &CheckCode) -> Text {
    match validate::check(&code.0) {
        Some(check) => Text::new(
            format!("{} {}", check.number, check.text_zh),
            format!("{} {}", check.number, check.text_en),
        ),
        None => Text::new(
            format!("核查 {}", code.0.as_str()),
            format!("check {}", code.0.as_str()),
        ),
    }
}

/// The verdict of the checks on a stored value.
pub(super) fn judge(node: Node, stored: &StoredValue) -> Node {
    if stored.valid {
        let text = Text::new("通过全部核查", "passed every check");
        return node.judged(Outcome::Valid, "valid", text);
    }
    let codes: Vec<&str> = stored.checks.iter().map(|check| check.0.as_str()).collect();
    let texts: Vec<Text> = stored.checks.iter().map(text).collect();
    let join = |of: fn(&Text) -> &str, by: &str| {
        let parts: Vec<&str> = texts.iter().map(of).collect();
        parts.join(by)
    };
    let text = Text::new(join(|t| &t.zh, "；"), join(|t| &t.en, "; "));
    node.judged(Outcome::Invalid, &codes.join(","), text)
}

/// The clues noted for a period that concern the factor.
pub(super) fn clues(scene: &Scene<'_>, level: Level, start: Timestamp) -> Option<Node> {
    let row = scene.history.clues(&scene.outlet.id, level, start)?;
    let concerns = |clue: &&Clue| clue.factor.as_ref().is_none_or(|f| f == scene.factor);
    let nodes: Vec<Node> = row
        .clues
        .iter()
        .filter(concerns)
        .map(|c| clue(scene, c))
        .collect();
    let section = Node::new("线索（供人核查）", "Clues, for a person to look at");
    (!nodes.is_empty()).then(|| section.with_children(nodes))
}

fn clue(scene: &Scene<'_>, clue: &Clue) -> Node {
    let text = text(&clue.check);
    let span = scene.span(clue.from, clue.until);
    let mut node = Node::new(format!("{} {span}", text.zh), format!("{} {span}", text.en));
    for (name, value) in &clue.evidence {
        let (name, value) = validate::evidence_text(name, value);
        node = node.note(
            format!("{} = {}", name.zh, value.zh),
            format!("{} = {}", name.en, value.en),
        );
    }
    node
}
