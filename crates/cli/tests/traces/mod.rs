//! What a secret value looks like in bytes, in every encoding the program uses, and a search for
//! it.
//!
//! A pattern must be too long to occur by chance, which decides what is looked for:
//! - every value but 0, 1 and -1 as the 32 bytes the program holds in memory (Montgomery's form);
//! - values from `2^16` up in size also as canonical field elements, as integers of 64 and 128 bits
//!   and as the numbers they stand for (64-bit floating point), each in both orders of bytes, and
//!   as text;
//! - tensors as a whole, as rows of all of these and of 32-bit numbers, from 8 bytes that are
//!   neither 0x00 nor 0xff upwards: this is how small values are found.
//!
//! Not looked for: single small values in plain encodings (`5` as `05 00 00 ..` also occurs where
//! nothing is leaked).

use ff::PrimeField;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use twain_algebra::Fr;
use twain_party::signed_integer;

const SHORTEST: usize = 8;
const SINGLE_FROM: u128 = 1 << 16;

/// Patterns by their first bytes, each with the name of what it gives away.
#[derive(Default)]
pub struct Traces {
    by_start: HashMap<[u8; SHORTEST], Vec<(Vec<u8>, String)>>,
    /// Whether any pattern begins with these two bytes: most of a search ends here.
    starts: Vec<bool>,
}

impl Traces {
    /// Adds a value.
    pub fn value(&mut self, name: &str, value: Fr) {
        let Some(integer) = signed_integer(value) else {
            return self.element(name, value, true);
        };
        if integer.unsigned_abs() > 1 {
            self.element(name, value, integer.unsigned_abs() >= SINGLE_FROM);
        }
    }

    fn element(&mut self, name: &str, value: Fr, plain: bool) {
        for value in [value, -value] {
            let memory = value.0.map(u64::to_le_bytes).concat();
            self.both_orders(&format!("{name} as it is held"), &memory);
            if plain {
                let canonical = value.to_repr();
                self.both_orders(&format!("{name} as a field element"), canonical.as_ref());
                self.text(name, &hex::encode(canonical));
                if let Some(integer) = signed_integer(value) {
                    self.both_orders(&format!("{name} in 128 bits"), &integer.to_le_bytes());
                    self.both_orders(
                        &format!("{name} in 64 bits"),
                        &(integer as i64).to_le_bytes(),
                    );
                    self.text(name, &integer.to_string());
                }
            }
        }
    }

    /// Adds the elements of a tensor, and the tensor: at the scale `2^scale`.
    pub fn tensor(&mut self, name: &str, values: &[Fr], scale: u32) {
        for value in values {
            self.value(name, *value);
        }
        let integers: Vec<i128> = values.iter().filter_map(|v| signed_integer(*v)).collect();
        if integers.len() != values.len() || values.len() < 2 {
            return;
        }
        let numbers: Vec<f64> =
            integers.iter().map(|v| *v as f64 / 2f64.powi(scale as i32)).collect();
        self.numbers(name, &numbers);
        let canonical: Vec<u8> =
            values.iter().flat_map(|v| v.to_repr().as_ref().to_vec()).collect();
        self.row(&format!("{name} as field elements"), &canonical);
        let memory: Vec<u8> = values.iter().flat_map(|v| v.0).flat_map(u64::to_le_bytes).collect();
        self.row(&format!("{name} as it is held"), &memory);
        let wide: Vec<u8> = integers.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.row(&format!("{name} in 128 bits"), &wide);
        let long: Vec<u8> = integers.iter().flat_map(|v| (*v as i64).to_le_bytes()).collect();
        self.row(&format!("{name} in 64 bits"), &long);
        let short: Vec<u8> = integers.iter().flat_map(|v| (*v as i32).to_le_bytes()).collect();
        self.row(&format!("{name} in 32 bits"), &short);
        self.texts(name, integers.iter().map(i128::to_string).collect());
    }

    /// Adds numbers as they stand in a file of the user.
    pub fn numbers(&mut self, name: &str, numbers: &[f64]) {
        let double: Vec<u8> = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.row(&format!("{name} in double precision"), &double);
        let single: Vec<u8> = numbers.iter().flat_map(|v| (*v as f32).to_le_bytes()).collect();
        self.row(&format!("{name} in single precision"), &single);
        self.texts(name, numbers.iter().map(f64::to_string).collect());
        for number in numbers.iter().filter(|number| number.to_string().len() >= SHORTEST) {
            self.both_orders(&format!("{name} in double precision"), &number.to_le_bytes());
            self.text(name, &number.to_string());
        }
    }

    fn texts(&mut self, name: &str, texts: Vec<String>) {
        for separator in [",", ", ", "\",\"", "\", \""] {
            self.text(name, &texts.join(separator));
        }
    }

    fn text(&mut self, name: &str, text: &str) {
        self.row(&format!("{name} as text"), text.as_bytes());
    }

    fn both_orders(&mut self, name: &str, bytes: &[u8]) {
        self.add(name, bytes.to_vec());
        self.add(name, bytes.iter().rev().copied().collect());
    }

    /// A row of several values, if it says enough.
    fn row(&mut self, name: &str, bytes: &[u8]) {
        let telling = bytes.iter().filter(|byte| ![0x00, 0xff].contains(*byte)).count();
        if telling >= SHORTEST {
            self.add(name, bytes.to_vec());
        }
    }

    fn add(&mut self, name: &str, pattern: Vec<u8>) {
        let start = pattern.first_chunk().expect("long enough");
        self.starts.resize(1 << 16, false);
        self.starts[pair(&pattern)] = true;
        self.by_start.entry(*start).or_default().push((pattern, name.to_string()));
    }

    /// Forgets what `public` also says.
    pub fn except(&mut self, public: &Traces) {
        let patterns = |traces: &Traces| -> HashSet<Vec<u8>> {
            traces.by_start.values().flatten().map(|(pattern, _)| pattern.clone()).collect()
        };
        let public = patterns(public);
        for list in self.by_start.values_mut() {
            list.retain(|(pattern, _)| !public.contains(pattern));
        }
    }

    /// How many patterns.
    pub fn len(&self) -> usize {
        self.by_start.values().map(Vec::len).sum()
    }

    /// What is found in `bytes`: what, and where.
    pub fn find(&self, bytes: &[u8]) -> Vec<(String, Range<usize>)> {
        let mut found = Vec::new();
        if self.starts.is_empty() {
            return found;
        }
        for (at, start) in bytes.windows(SHORTEST).enumerate() {
            if !self.starts[pair(start)] {
                continue;
            }
            let start: &[u8; SHORTEST] = start.first_chunk().expect("the window's length");
            for (pattern, name) in self.by_start.get(start).into_iter().flatten() {
                if bytes[at..].starts_with(pattern) {
                    found.push((name.clone(), at..at + pattern.len()));
                }
            }
        }
        found
    }
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) | usize::from(bytes[1]) << 8
}
