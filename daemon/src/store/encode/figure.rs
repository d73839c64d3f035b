//! Figures as text: exact decimals, and numbers with their original text.

use cems_core::model::Number;
use rust_decimal::Decimal;
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use smol_str::SmolStr;
use std::fmt;

/// A decimal as text, digit for digit: the library's own reading forgets the sign of zero, and a
/// row that is read and written again must not change.
pub(super) struct Exact(pub(super) Decimal);

impl Exact {
    fn parse(text: &str) -> Result<Decimal, rust_decimal::Error> {
        let mut value = Decimal::from_str_exact(text)?;
        if text.starts_with('-') {
            value.set_sign_negative(true);
        }
        Ok(value)
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = SmolStr::deserialize(deserializer)?;
        Self::parse(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A number with its original text: the text alone when it is the decimal's own form, else
/// `[value, text]`.
pub(super) struct Figure(pub(super) Number);

impl Serialize for Figure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let own = self.0.value.to_string();
        if own == self.0.text.as_str() {
            return serializer.serialize_str(&own);
        }
        let mut pair = serializer.serialize_tuple(2)?;
        pair.serialize_element(&own)?;
        pair.serialize_element(&self.0.text)?;
        pair.end()
    }
}

impl<'de> Deserialize<'de> for Figure {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FigureVisitor;

        impl<'de> Visitor<'de> for FigureVisitor {
            type Value = Figure;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a decimal text or [decimal text, original text]")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Figure, E> {
                Ok(Figure(Number {
                    value: Exact::parse(text).map_err(E::custom)?,
                    text: SmolStr::new(text),
                }))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Figure, A::Error> {
                let own: SmolStr = seq
                    .next_element()?
                    .ok_or_else(|| A::Error::invalid_length(0, &self))?;
                let text = seq
                    .next_element()?
                    .ok_or_else(|| A::Error::invalid_length(1, &self))?;
                Ok(Figure(Number {
                    value: Exact::parse(&own).map_err(A::Error::custom)?,
                    text,
                }))
            }
        }

        deserializer.deserialize_any(FigureVisitor)
    }
}
