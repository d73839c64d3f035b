//! The expressions with their values put in are sums that can be checked with pencil and paper:
//! here by a reader of its own.

use rust_decimal::Decimal;

/// The value of an expression of numbers with `+ − × ÷` and parentheses; `None` for anything else.
pub(crate) fn evaluate(text: &str) -> Option<Decimal> {
    let tokens: Vec<String> = text
        .replace('(', " ( ")
        .replace(')', " ) ")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let mut reader = Reader { tokens, at: 0 };
    let value = reader.sum()?;
    (reader.at == reader.tokens.len()).then_some(value)
}

struct Reader {
    tokens: Vec<String>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Option<&str> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn takes(&mut self, one_of: &[&str]) -> Option<String> {
        let token = self.tokens.get(self.at)?;
        one_of.contains(&token.as_str()).then(|| {
            self.at += 1;
            token.clone()
        })
    }

    fn sum(&mut self) -> Option<Decimal> {
        let mut left = self.product()?;
        while let Some(sign) = self.takes(&["+", "−"]) {
            let right = self.product()?;
            left = if sign == "+" {
                left + right
            } else {
                left - right
            };
        }
        Some(left)
    }

    fn product(&mut self) -> Option<Decimal> {
        let mut left = self.atom()?;
        while let Some(sign) = self.takes(&["×", "÷"]) {
            let right = self.atom()?;
            left = if sign == "×" {
                left * right
            } else {
                left / right
            };
        }
        Some(left)
    }

    fn atom(&mut self) -> Option<Decimal> {
        if self.takes(&["("]).is_some() {
            let value = self.sum()?;
            self.takes(&[")"])?;
            return Some(value);
        }
        self.next()?.parse().ok()
    }
}

#[test]
fn the_reader_reads_what_is_written() {
    let dec = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(evaluate("100 × (21 − 6) ÷ (21 − 6)"), Some(dec("100")));
    assert_eq!(evaluate("2 + 3 × 4 − -1"), Some(dec("15")));
    assert_eq!(evaluate("45 ≥ 45"), None);
    assert_eq!(evaluate("7 ∓ lg(E)"), None);
}
