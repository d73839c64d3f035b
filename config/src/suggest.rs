//! "Did you mean": the nearest known word.

use crate::report::Say;

/// The known word nearest to `word`, if it is near enough to be a slip of the keyboard: at most
/// one edit in three characters, and at least one allowed. Words too long to be a slip have none.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// No key or code is half as long; comparing longer ones would only cost time.
    const CHARS_MAX: usize = 80;
    let length = word.chars().count();
    if length > CHARS_MAX {
        return None;
    }
    let allowed = (length / 3).clamp(1, 4);
    known
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(d, _)| *d <= allowed)
        .min_by_key(|(d, candidate)| (*d, *candidate))
        .map(|(_, candidate)| candidate)
}

/// A hint naming the nearest known word, or all of them when they are few, or nothing.
pub(crate) fn hint<'a>(word: &str, known: impl IntoIterator<Item = &'a str> + Clone) -> Say {
    if let Some(near) = nearest(word, known.clone()) {
        return Say {
            en: format!("did you mean `{near}`?"),
            zh: format!("是否应为 `{near}`？"),
        };
    }
    /// More than this and a list helps nobody.
    const LISTED_MAX: usize = 24;
    let all: Vec<String> = known.into_iter().map(|k| format!("`{k}`")).collect();
    if all.is_empty() || all.len() > LISTED_MAX {
        return Say::nothing();
    }
    Say {
        en: format!("known here: {}", all.join(", ")),
        zh: format!("此处可用：{}", all.join("、")),
    }
}

/// Edits from one word to the other, without regard to ASCII case: a character more, less,
/// changed, or two neighbours swapped (optimal string alignment).
fn distance(a: &str, b: &str) -> usize {
    let a: Vec<char> = a.chars().map(|c| c.to_ascii_lowercase()).collect();
    let b: Vec<char> = b.chars().map(|c| c.to_ascii_lowercase()).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 0..a.len() {
        let mut row = vec![i + 1];
        for j in 0..b.len() {
            let mut best = (above[j] + usize::from(a[i] != b[j]))
                .min(row[j] + 1)
                .min(above[j + 1] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                best = best.min(before[j - 1] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, d) in [
            ("", "", 0),
            ("abc", "", 3),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("listen", "listne", 1),
            ("a21206", "a21026", 1),
            ("A21026", "a21026", 0),
            ("排放口", "排口", 1),
        ] {
            assert_eq!(distance(a, b), d, "{a} {b}");
        }
    }

    #[test]
    fn near_words_are_offered_and_far_ones_are_not() {
        let known = ["listen", "max_connections", "idle_timeout_s"];
        assert_eq!(nearest("max_conections", known), Some("max_connections"));
        assert_eq!(nearest("lisen", known), Some("listen"));
        assert_eq!(nearest("colour", known), None);
    }
}
