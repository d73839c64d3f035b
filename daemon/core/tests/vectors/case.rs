//! A case: what goes in, what must come out, how exactly.

use rust_decimal::Decimal;
use serde_json::Value;

/// What a case says in the end.
pub(crate) type Outcome = Result<(), String>;

/// One line of a vector file.
#[derive(Debug)]
pub(crate) struct Case {
    /// Identity.
    pub(crate) id: String,
    /// The rule in words (the kind, for the EPA's).
    pub(crate) rule: String,
    /// What goes in.
    pub(crate) inputs: Value,
    /// What must come out.
    pub(crate) expected: Value,
    /// How far off a number may be: one figure for all, or one by name.
    tolerance: Value,
}

/// Every case that decides.
pub(crate) fn all() -> Vec<Case> {
    let own = include_str!("../../testdata/vectors.jsonl");
    let epa = include_str!("../../testdata/qa-vectors-epa.jsonl");
    own.lines().chain(epa.lines()).filter_map(read).collect()
}

fn read(line: &str) -> Option<Case> {
    let all: Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| all[name].as_str().map(str::to_owned);
    if text("status").as_deref() == Some("M") {
        return None;
    }
    Some(Case {
        id: text("id").unwrap(),
        rule: text("rule").or_else(|| text("kind")).unwrap(),
        inputs: all["inputs"].clone(),
        expected: all["expected"].clone(),
        tolerance: all["tolerance"].clone(),
    })
}

/// A JSON number (or text) as an exact decimal.
pub(crate) fn decimal(value: &Value) -> Decimal {
    let text = value.to_string();
    let text = text.trim_matches('"');
    text.parse()
        .or_else(|_| Decimal::from_scientific(text))
        .unwrap_or_else(|_| panic!("not a number: {value}"))
}

/// A list of numbers.
pub(crate) fn decimals(value: &Value) -> Vec<Decimal> {
    value.as_array().unwrap().iter().map(decimal).collect()
}

impl Case {
    /// An input as a number.
    pub(crate) fn input(&self, name: &str) -> Decimal {
        decimal(&self.inputs[name])
    }

    /// How far off the figure `name` may be.
    pub(crate) fn tolerance(&self, name: &str) -> Decimal {
        match &self.tolerance {
            Value::Null => Decimal::ZERO,
            Value::Object(by_name) => by_name.get(name).map_or(Decimal::ZERO, decimal),
            one => decimal(one),
        }
    }

    /// Compares a figure with what is expected under its name; both may be absent.
    pub(crate) fn compare(&self, name: &str, got: Option<Decimal>) -> Outcome {
        self.near(name, &self.expected[name], got)
    }

    /// Compares a figure with `expected`, within the tolerance of `name`.
    pub(crate) fn near(&self, name: &str, expected: &Value, got: Option<Decimal>) -> Outcome {
        match (expected, got) {
            (Value::Null, None) => Ok(()),
            (Value::Null, Some(got)) => Err(format!("{name}: {got} where there is none")),
            (expected, None) => Err(format!("{name}: none where {expected} is expected")),
            (expected, Some(got)) => {
                let off = (got - decimal(expected)).abs();
                if off <= self.tolerance(name) {
                    Ok(())
                } else {
                    Err(format!("{name}: {got}, expected {expected}"))
                }
            }
        }
    }

    /// Compares anything else.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "calls read better with values"
    )]
    pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
        &self,
        name: &str,
        got: T,
        expected: T,
    ) -> Outcome {
        if got == expected {
            Ok(())
        } else {
            Err(format!("{name}: {got:?}, expected {expected:?}"))
        }
    }
}
