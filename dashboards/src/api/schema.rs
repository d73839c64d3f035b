//! Shapes of the API that describe themselves: one declaration gives the type, its JSON and its
//! schema, so that `/api/openapi.json` cannot say anything else than what is sent.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A type with a JSON schema.
pub(crate) trait Schema {
    /// The schema where the type is used.
    fn schema() -> Value;
    /// Adds the named shapes it is made of.
    fn define(_shapes: &mut Map<String, Value>) {}
}

/// An instant as ISO 8601 text with the site's offset.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Iso(pub(crate) String);

/// An exact decimal, as text.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Exact(pub(crate) String);

impl From<Decimal> for Exact {
    fn from(value: Decimal) -> Self {
        Self(value.to_string())
    }
}

impl Schema for Iso {
    fn schema() -> Value {
        json!({ "type": "string", "format": "date-time" })
    }
}

impl Schema for Exact {
    fn schema() -> Value {
        json!({ "type": "string", "format": "decimal", "pattern": "^-?[0-9]+(\\.[0-9]+)?$" })
    }
}

impl Schema for String {
    fn schema() -> Value {
        json!({ "type": "string" })
    }
}

impl Schema for bool {
    fn schema() -> Value {
        json!({ "type": "boolean" })
    }
}

impl Schema for u64 {
    fn schema() -> Value {
        json!({ "type": "integer", "minimum": 0 })
    }
}

impl Schema for i64 {
    fn schema() -> Value {
        json!({ "type": "integer" })
    }
}

impl<T: Schema> Schema for Option<T> {
    fn schema() -> Value {
        json!({ "anyOf": [T::schema(), { "type": "null" }] })
    }
    fn define(shapes: &mut Map<String, Value>) {
        T::define(shapes);
    }
}

impl<T: Schema> Schema for Vec<T> {
    fn schema() -> Value {
        json!({ "type": "array", "items": T::schema() })
    }
    fn define(shapes: &mut Map<String, Value>) {
        T::define(shapes);
    }
}

impl<T: Schema> Schema for BTreeMap<String, T> {
    fn schema() -> Value {
        json!({ "type": "object", "additionalProperties": T::schema() })
    }
    fn define(shapes: &mut Map<String, Value>) {
        T::define(shapes);
    }
}

/// Declares a shape: its doc comment and those of its fields become descriptions. Fields that
/// have no value are `null`, never left out.
macro_rules! shape {
    ($(#[doc = $doc:literal])+ $name:ident {
        $( $(#[doc = $field_doc:literal])+ $field:ident : $type:ty ),+ $(,)?
    }) => {
        $(#[doc = $doc])+
        #[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        pub(crate) struct $name {
            $( $(#[doc = $field_doc])+ pub(crate) $field: $type, )+
        }

        impl $crate::api::schema::Schema for $name {
            fn schema() -> serde_json::Value {
                serde_json::json!({
                    "$ref": concat!("#/components/schemas/", stringify!($name))
                })
            }

            fn define(shapes: &mut serde_json::Map<String, serde_json::Value>) {
                if shapes.contains_key(stringify!($name)) {
                    return;
                }
                let mut properties = serde_json::Map::new();
                $(
                    let mut field = <$type as $crate::api::schema::Schema>::schema();
                    if field.get("$ref").is_none() && let Some(object) = field.as_object_mut() {
                        let text = concat!($($field_doc),+).trim();
                        object.insert("description".to_owned(), text.into());
                    }
                    properties.insert(stringify!($field).to_owned(), field);
                )+
                shapes.insert(stringify!($name).to_owned(), serde_json::json!({
                    "type": "object",
                    "description": concat!($($doc),+).trim(),
                    "required": [$(stringify!($field)),+],
                    "additionalProperties": false,
                    "properties": properties,
                }));
                $( <$type as $crate::api::schema::Schema>::define(shapes); )+
            }
        }
    };
}
pub(crate) use shape;
