//! The encoding of `model.compiled` (spec 02 §2.1): little-endian fixed-width integers, `u64`
//! counts, `u32` discriminants, one-byte options, no framing.
//!
//! Reading and writing of a type are one table each ([`record!`], [`choice!`]), so they cannot
//! drift apart. Counts are checked against what is left of the file before anything is allocated,
//! and the nesting of operations and loops is bounded.

mod graph;
mod op;
mod settings;
mod witness;

use crate::FormatError;
use ff::PrimeField;
use indexmap::IndexMap;
use std::collections::BTreeMap;
use std::hash::Hash;
use std::io::{self, Write};
use twain_algebra::Fr;

/// Deepest nesting of operations within operations and loops within loops; EZKL makes at most 5.
const DEEPEST: u32 = 32;

/// A type of the file.
pub(crate) trait Binary: Sized {
    /// Reads one from the front.
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError>;
    /// Writes it.
    fn write(&self, writer: &mut dyn Write) -> io::Result<()>;
}

/// Bytes not read yet.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    offset: u64,
    depth: u32,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, offset: 0, depth: 0 }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], FormatError> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(FormatError::Truncated(self.offset + self.rest.len() as u64));
        };
        self.rest = rest;
        self.offset += count as u64;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FormatError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    /// An error about the last `width` bytes.
    fn invalid(&self, width: u64, reason: impl Into<String>) -> FormatError {
        FormatError::Invalid { offset: self.offset - width, reason: reason.into() }
    }

    /// A number of elements, each of which takes at least one byte.
    fn count(&mut self) -> Result<usize, FormatError> {
        let count = u64::read(self)?;
        if count > self.rest.len() as u64 {
            let left = self.rest.len();
            let reason = format!("a list claims {count} elements, but only {left} bytes follow");
            return Err(self.invalid(8, reason));
        }
        Ok(count as usize)
    }

    /// Reads something that may contain itself.
    fn nested<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, FormatError>,
    ) -> Result<T, FormatError> {
        if self.depth == DEEPEST {
            return Err(self.invalid(0, format!("operations are nested more than {DEEPEST} deep")));
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }
}

macro_rules! numbers {
    ($($type:ident)*) => {$(
        impl Binary for $type {
            fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
                Ok($type::from_le_bytes(reader.array()?))
            }
            fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
                writer.write_all(&self.to_le_bytes())
            }
        }
    )*};
}
numbers!(u32 u64 u128 i32 i64 i128 f32 f64);

macro_rules! sizes {
    ($($type:ident as $wide:ident)*) => {$(
        impl Binary for $type {
            fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
                let value = $wide::read(reader)?;
                $type::try_from(value)
                    .map_err(|_| reader.invalid(8, format!("{value} does not fit this machine")))
            }
            fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
                (*self as $wide).write(writer)
            }
        }
    )*};
}
sizes!(usize as u64 isize as i64);

impl Binary for bool {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        match reader.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            [other] => Err(reader.invalid(1, format!("{other} is not a Boolean"))),
        }
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        writer.write_all(&[u8::from(*self)])
    }
}

impl Binary for char {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let [first] = reader.array()?;
        let width = match first {
            0x00..0x80 => 1,
            0xc0..0xe0 => 2,
            0xe0..0xf0 => 3,
            _ => 4,
        };
        let mut bytes = [first, 0, 0, 0];
        bytes[1..width].copy_from_slice(reader.take(width - 1)?);
        std::str::from_utf8(&bytes[..width])
            .ok()
            .and_then(|text| text.chars().next())
            .ok_or_else(|| reader.invalid(width as u64, "not a character in UTF-8"))
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        writer.write_all(self.encode_utf8(&mut [0; 4]).as_bytes())
    }
}

impl Binary for String {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let count = reader.count()?;
        let bytes = reader.take(count)?;
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.to_string()),
            Err(_) => Err(reader.invalid(count as u64, "not a text in UTF-8")),
        }
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        self.len().write(writer)?;
        writer.write_all(self.as_bytes())
    }
}

/// Canonical little-endian bytes.
impl Binary for Fr {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let bytes: [u8; 32] = reader.array()?;
        Option::from(Fr::from_repr(bytes.into()))
            .ok_or_else(|| reader.invalid(32, "a field element that is not below the modulus"))
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        writer.write_all(self.to_repr().as_ref())
    }
}

impl<T: Binary> Binary for Vec<T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let count = reader.count()?;
        // never more memory at once than the bytes that are left
        let room = reader.rest.len() / size_of::<T>().max(1);
        let mut elements = Vec::with_capacity(count.min(room));
        for _ in 0..count {
            elements.push(T::read(reader)?);
        }
        Ok(elements)
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        self.len().write(writer)?;
        self.iter().try_for_each(|element| element.write(writer))
    }
}

impl<T: Binary> Binary for Option<T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        match reader.array()? {
            [0] => Ok(None),
            [1] => Ok(Some(T::read(reader)?)),
            [other] => Err(reader.invalid(1, format!("{other} is not the tag of an option"))),
        }
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        self.is_some().write(writer)?;
        self.iter().try_for_each(|value| value.write(writer))
    }
}

impl<T: Binary> Binary for Box<T> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        reader.nested(|reader| Ok(Box::new(T::read(reader)?)))
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        (**self).write(writer)
    }
}

impl<A: Binary, B: Binary> Binary for (A, B) {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        Ok((A::read(reader)?, B::read(reader)?))
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        self.0.write(writer)?;
        self.1.write(writer)
    }
}

/// Sorted when read; a key that comes twice is an error.
impl<K: Binary + Ord + std::fmt::Debug, V: Binary> Binary for BTreeMap<K, V> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let mut map = BTreeMap::new();
        for _ in 0..reader.count()? {
            let key = K::read(reader)?;
            if map.contains_key(&key) {
                return Err(reader.invalid(0, format!("the key {key:?} comes twice")));
            }
            map.insert(key, V::read(reader)?);
        }
        Ok(map)
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        self.len().write(writer)?;
        self.iter().try_for_each(|(key, value)| {
            key.write(writer)?;
            value.write(writer)
        })
    }
}

/// In the order of the file.
impl<K: Binary + Hash + Eq, V: Binary> Binary for IndexMap<K, V> {
    fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
        let mut map = IndexMap::new();
        for _ in 0..reader.count()? {
            let (key, value) = Binary::read(reader)?;
            map.insert(key, value);
        }
        Ok(map)
    }

    fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
        self.len().write(writer)?;
        self.iter().try_for_each(|(key, value)| {
            key.write(writer)?;
            value.write(writer)
        })
    }
}

/// A struct: its fields in the order of the file.
macro_rules! record {
    ($type:ident $(<$parameter:ident>)? { $($field:ident)* }) => {
        impl $(<$parameter: Binary>)? Binary for $type $(<$parameter>)? {
            fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
                $(let $field = Binary::read(reader)?;)*
                Ok(Self { $($field),* })
            }
            fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
                $(self.$field.write(writer)?;)*
                Ok(())
            }
        }
    };
}
use record;

/// An enum: for each variant its discriminant and its fields in the order of the file.
macro_rules! choice {
    ($type:ident { $($tag:literal $variant:ident $(($inner:ident))? $({ $($field:ident)* })?,)* }) => {
        impl Binary for $type {
            fn read(reader: &mut Reader<'_>) -> Result<Self, FormatError> {
                Ok(match u32::read(reader)? {
                    $($tag => {
                        $(let $inner = Binary::read(reader)?;)?
                        $($(let $field = Binary::read(reader)?;)*)?
                        $type::$variant $(($inner))? $({ $($field),* })?
                    })*
                    other => {
                        let reason = format!(concat!("{} is not a ", stringify!($type)), other);
                        return Err(reader.invalid(4, reason));
                    }
                })
            }
            fn write(&self, writer: &mut dyn Write) -> io::Result<()> {
                match self {
                    $($type::$variant $(($inner))? $({ $($field),* })? => {
                        u32::write(&$tag, writer)?;
                        $($inner.write(writer)?;)?
                        $($($field.write(writer)?;)*)?
                    })*
                }
                Ok(())
            }
        }
    };
}
use choice;
