//! What a side of a session holds of what both must hold, and was told to do: named items, their
//! encoding, and what differs between two lists (protocol §18).

use sha2::{Digest, Sha256};
use std::fmt;
use twain_party::Role;

const LONGEST_NAME: usize = 64;
const LONGEST_TEXT: usize = 200;
const MOST_ITEMS: usize = 64;
pub(super) const LONGEST_MANIFEST: usize = MOST_ITEMS * (2 + LONGEST_NAME + 1 + LONGEST_TEXT);
/// Name of the item by which a side says that it cannot go on.
const REFUSAL: &str = "refusal";

/// What a side has under a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Item {
    /// The digest of a file or of a part of one.
    Digest([u8; 32]),
    /// Something short that people read: 1 to 200 printable ASCII characters.
    Text(String),
    /// This side cannot tell, and takes what the other side has ([`Manifest::excuse`]).
    Any,
}

impl Item {
    /// A text that people read, or its digest if it is too long to be sent.
    pub fn brief(text: String) -> Self {
        match printable(&text, LONGEST_TEXT) {
            true => Item::Text(text),
            false => Item::Digest(Sha256::digest(text).into()),
        }
    }
}

impl From<[u8; 32]> for Item {
    fn from(digest: [u8; 32]) -> Self {
        Item::Digest(digest)
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // Enough to tell apart what people mix up; all of it is compared.
            Item::Digest(digest) => write!(f, "{}…", hex::encode(&digest[..8])),
            Item::Text(text) => f.write_str(text),
            Item::Any => f.write_str("any"),
        }
    }
}

/// What a side holds of what both must hold (settings, redacted circuit, proving key, verifying
/// key, SRS, plan), and what it was told to do: named items, sorted by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    items: Vec<(String, Item)>,
    /// Who need not know what. Each side has its own idea of that, and never takes the peer's.
    excused: Vec<(Role, String)>,
    /// What is named even if only one side has it and other things differ. Nothing of it is sent.
    insisted: Vec<String>,
}

/// A list of items that cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Too many entries.
    #[error("more than {MOST_ITEMS} items")]
    TooMany,
    /// A name that cannot be shown.
    #[error("an item's name must have 1 to {LONGEST_NAME} printable ASCII characters")]
    Name,
    /// A text that cannot be shown.
    #[error("an item's text must have 1 to {LONGEST_TEXT} printable ASCII characters")]
    Text,
    /// Two entries with one name, or names out of order.
    #[error("the items' names are not distinct and sorted")]
    Order,
    /// Not the encoding of a list of items.
    #[error("the list of items is malformed")]
    Malformed,
}

/// Whether a text can be shown and is not longer than `longest`.
fn printable(text: &str, longest: usize) -> bool {
    let plain = |byte: u8| byte == b' ' || byte.is_ascii_graphic();
    !text.is_empty() && text.len() <= longest && text.bytes().all(plain)
}

impl Manifest {
    /// A list of named items.
    pub fn new<T: Into<Item>>(
        items: impl IntoIterator<Item = (String, T)>,
    ) -> Result<Self, ManifestError> {
        let mut items: Vec<_> = items.into_iter().map(|(name, item)| (name, item.into())).collect();
        items.sort();
        let manifest = Self { items, ..Self::default() };
        manifest.check()?;
        Ok(manifest)
    }

    /// Lets the side `role` say [`Item::Any`] of the item `name`. Of an item without an excuse
    /// neither side may: a side that could would agree to everything, and then do something else.
    pub fn excuse(mut self, role: Role, name: &str) -> Self {
        self.excused.push((role, name.into()));
        self
    }

    /// Names the item `name` as a difference if one side lacks it, whatever else differs: the rest
    /// may follow from it.
    pub fn insist(mut self, name: &str) -> Self {
        self.insisted.push(name.into());
        self
    }

    /// The manifest of a side that cannot go on: the handshake with it fails, and tells the peer
    /// the reason. What cannot be shown of it is left out.
    pub fn refusal(reason: &str) -> Self {
        let plain = |c: &char| *c == ' ' || c.is_ascii_graphic();
        let mut text: String = reason.chars().filter(plain).take(LONGEST_TEXT).collect();
        if text.is_empty() {
            text.push('?');
        }
        Self { items: vec![(REFUSAL.into(), Item::Text(text))], ..Self::default() }
    }

    /// The reason of a side that cannot go on.
    pub(super) fn refuses(&self) -> Option<&str> {
        match self.items.iter().find(|(name, _)| name == REFUSAL) {
            Some((_, Item::Text(reason))) => Some(reason),
            _ => None,
        }
    }

    fn check(&self) -> Result<(), ManifestError> {
        if self.items.len() > MOST_ITEMS {
            return Err(ManifestError::TooMany);
        }
        for (name, item) in &self.items {
            if !printable(name, LONGEST_NAME) {
                return Err(ManifestError::Name);
            }
            if matches!(item, Item::Text(text) if !printable(text, LONGEST_TEXT)) {
                return Err(ManifestError::Text);
            }
        }
        let sorted = self.items.windows(2).all(|pair| matches!(pair, [(a, _), (b, _)] if a < b));
        if sorted { Ok(()) } else { Err(ManifestError::Order) }
    }

    /// For every item: length of the name, name; then `D` and the digest, `T`, length and text, or
    /// `A`.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (name, item) in &self.items {
            bytes.push(name.len() as u8); // at most LONGEST_NAME
            bytes.extend(name.as_bytes());
            match item {
                Item::Digest(digest) => {
                    bytes.push(b'D');
                    bytes.extend(digest);
                }
                Item::Text(text) => {
                    bytes.extend([b'T', text.len() as u8]); // at most LONGEST_TEXT
                    bytes.extend(text.as_bytes());
                }
                Item::Any => bytes.push(b'A'),
            }
        }
        bytes
    }

    /// What [`Manifest::encode`] gives, and nothing else.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        let mut reader = Reader(bytes);
        let mut items = Vec::new();
        while !reader.0.is_empty() {
            let name = reader.text(ManifestError::Name)?;
            let item = match reader.take(1)? {
                b"D" => {
                    let digest = reader.take(32)?.first_chunk().copied();
                    Item::Digest(digest.ok_or(ManifestError::Malformed)?)
                }
                b"T" => Item::Text(reader.text(ManifestError::Text)?),
                b"A" => Item::Any,
                _ => return Err(ManifestError::Malformed),
            };
            items.push((name, item));
        }
        let manifest = Self { items, ..Self::default() };
        manifest.check()?;
        Ok(manifest)
    }

    /// Whether what the sides have under a name goes together, by this side's excuses.
    fn fit(&self, name: &str, model: &Item, data: &Item) -> bool {
        let may_have = |role, item: &Item| {
            let excuses = |(side, item): &(Role, String)| *side == role && item == name;
            *item != Item::Any || self.excused.iter().any(excuses)
        };
        let same = model == data || [model, data].contains(&&Item::Any);
        same && may_have(Role::Model, model) && may_have(Role::Data, data)
    }

    /// What does not fit between the model's list and the data's, one of which is this one: names
    /// that both have; names that one has (a side that was told to do something else) only if all
    /// these fit or this side insists on them.
    pub(super) fn differences(&self, model: &Self, data: &Self) -> Vec<Difference> {
        let find = |manifest: &Self, name: &str| {
            manifest.items.iter().find(|(other, _)| other == name).map(|(_, item)| item.clone())
        };
        let mut names: Vec<&String> =
            model.items.iter().chain(&data.items).map(|(name, _)| name).collect();
        names.sort();
        names.dedup();
        let difference = |name: &String| Difference {
            name: name.clone(),
            model: find(model, name),
            data: find(data, name),
        };
        let (mut differing, mut lacking) = (Vec::new(), Vec::new());
        for difference in names.into_iter().map(difference) {
            match (&difference.model, &difference.data) {
                (Some(model), Some(data)) if self.fit(&difference.name, model, data) => {}
                (Some(_), Some(_)) => differing.push(difference),
                _ if self.insisted.contains(&difference.name) => differing.push(difference),
                _ => lacking.push(difference),
            }
        }
        if differing.is_empty() { lacking } else { differing }
    }
}

/// What is left of an encoding.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ManifestError> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(ManifestError::Malformed)?;
        self.0 = rest;
        Ok(taken)
    }

    /// A text after its length; `otherwise` if it is none.
    fn text(&mut self, otherwise: ManifestError) -> Result<String, ManifestError> {
        let length = self.take(1)?.first().copied().unwrap_or(0);
        let bytes = self.take(usize::from(length))?;
        std::str::from_utf8(bytes).map(str::to_string).map_err(|_| otherwise)
    }
}

/// Something the two sides hold differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What.
    pub name: String,
    /// What the model's side has, if anything.
    pub model: Option<Item>,
    /// What the data's side has, if anything.
    pub data: Option<Item>,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |item: &Option<Item>| item.as_ref().map_or("none".into(), Item::to_string);
        write!(f, "{} (model: {}, data: {})", self.name, text(&self.model), text(&self.data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lists_that_cannot_be_compared_are_refused() {
        let entry = |name: String| (name, Item::Digest([0; 32]));
        let of = |names: Vec<String>| Manifest::new(names.into_iter().map(entry));
        assert_eq!(of(vec![String::new()]), Err(ManifestError::Name));
        assert_eq!(of(vec!["a\n".into()]), Err(ManifestError::Name));
        assert_eq!(of(vec!["a".repeat(65)]), Err(ManifestError::Name));
        assert_eq!(of(vec!["a".into(), "a".into()]), Err(ManifestError::Order));
        assert_eq!(of((0..65).map(|i| i.to_string()).collect()), Err(ManifestError::TooMany));
        let text = |text: &str| Manifest::new([("a".to_string(), Item::Text(text.into()))]);
        assert_eq!(text(""), Err(ManifestError::Text));
        assert_eq!(text("\n"), Err(ManifestError::Text));
        assert_eq!(text(&"a".repeat(201)), Err(ManifestError::Text));
        let longest = |i| (format!("{i:064}"), Item::Text("a".repeat(LONGEST_TEXT)));
        let most = Manifest::new((0..64).map(longest)).expect("fits");
        assert_eq!(most.encode().len(), LONGEST_MANIFEST);
    }

    fn item() -> impl Strategy<Value = Item> {
        prop_oneof![
            any::<[u8; 32]>().prop_map(Item::Digest),
            "[ -~]{1,200}".prop_map(Item::Text),
            Just(Item::Any)
        ]
    }

    proptest! {
        #[test]
        fn any_bytes_decode_without_panic(list: Vec<u8>) {
            if let Ok(manifest) = Manifest::decode(&list) {
                prop_assert_eq!(manifest.encode(), list);
            }
        }

        #[test]
        fn lists_round_trip(entries in proptest::collection::btree_map("[ -~]{1,64}", item(), 0..8)) {
            let manifest = Manifest::new(entries).expect("well formed");
            prop_assert_eq!(Manifest::decode(&manifest.encode()), Ok(manifest));
        }
    }
}
