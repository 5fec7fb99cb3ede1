//! Field elements and points as hexadecimal text (spec 01 §1.2, §1.3; spec 02 §3.2).

use crate::points::{g1_from_compressed, g1_to_compressed};
use ff::PrimeField;
use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};
use std::fmt;
use twain_algebra::{Fr, G1Affine};

fn bytes_from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes).ok()?;
    Some(bytes)
}

/// A field element from 64 hexadecimal digits of its canonical little-endian bytes, without prefix.
/// `None` for anything else, also for integers not below the modulus.
pub fn field_from_hex(text: &str) -> Option<Fr> {
    Fr::from_repr(bytes_from_hex(text)?.into()).into()
}

/// The 64 lower-case hexadecimal digits of the canonical little-endian bytes.
pub fn field_to_hex(value: &Fr) -> String {
    hex::encode(value.to_repr())
}

/// `0x` and the 64 lower-case digits of the integer, most significant first.
pub fn field_to_pretty(value: &Fr) -> String {
    let mut bytes = value.to_repr();
    bytes.as_mut().reverse();
    format!("0x{}", hex::encode(bytes))
}

/// A point of G1 from the 64 hexadecimal digits of its compressed form; `None` if it is not one.
pub fn point_from_hex(text: &str) -> Option<G1Affine> {
    g1_from_compressed(&bytes_from_hex(text)?)
}

/// The 64 lower-case hexadecimal digits of the compressed form.
pub fn point_to_hex(point: &G1Affine) -> String {
    hex::encode(g1_to_compressed(point))
}

/// A field element in JSON.
pub(crate) struct HexField(pub(crate) Fr);

/// A point in JSON.
pub(crate) struct HexPoint(pub(crate) G1Affine);

macro_rules! hex_serde {
    ($name:ident, $to:ident, $from:ident, $expected:literal) => {
        impl serde::Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$to(&self.0))
            }
        }
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expected)
                    }
                    fn visit_str<E: Error>(self, text: &str) -> Result<$name, E> {
                        $from(text)
                            .map($name)
                            .ok_or_else(|| E::custom(concat!("expected ", $expected)))
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    };
}

hex_serde!(
    HexField,
    field_to_hex,
    field_from_hex,
    "a field element: 64 hexadecimal digits, least significant byte first, below the modulus"
);
hex_serde!(
    HexPoint,
    point_to_hex,
    point_from_hex,
    "a point of the curve: 64 hexadecimal digits of its compressed form"
);

/// Lists of hexadecimal texts at whatever depth, for `#[serde(with = "...")]`.
macro_rules! hex_lists {
    ($module:ident, $name:ident, $value:ty) => {
        pub(crate) mod $module {
            use super::$name;
            use serde::{Deserialize, Deserializer, Serialize, Serializer};
            #[allow(unused_imports)]
            use twain_algebra::{Fr, G1Affine};

            type Lists = Vec<Vec<$value>>;

            pub(crate) fn serialize<S: Serializer>(
                lists: &Lists,
                serializer: S,
            ) -> Result<S::Ok, S::Error> {
                let lists = lists.iter();
                let texts = lists.map(|list| list.iter().map(|value| $name(*value)).collect());
                texts.collect::<Vec<Vec<$name>>>().serialize(serializer)
            }

            pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Lists, D::Error> {
                let lists = Vec::<Vec<$name>>::deserialize(deserializer)?.into_iter();
                Ok(lists.map(|list| list.into_iter().map(|text| text.0).collect()).collect())
            }
        }
    };
}

hex_lists!(field_lists, HexField, Fr);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_texts() {
        let value = Fr::from(0xcf4e);
        let text = format!("4ecf{}", "0".repeat(60));
        assert_eq!(field_to_hex(&value), text);
        assert_eq!(field_from_hex(&text), Some(value));
        assert_eq!(field_to_pretty(&value), format!("0x{}cf4e", "0".repeat(60)));
    }

    #[test]
    fn texts_that_are_no_field_elements() {
        let modulus = "010000f093f5e1439170b97948e833285d588181b64550b829a031e1724e6430";
        assert_eq!(field_from_hex(modulus), None);
        assert_eq!(field_from_hex(&modulus.replacen("01", "00", 1)), Some(-Fr::one()));
        assert_eq!(field_from_hex(&format!("0x{}", "0".repeat(64))), None);
        assert_eq!(field_from_hex(&"0".repeat(63)), None);
        assert_eq!(field_from_hex(&"é".repeat(32)), None);
    }
}
