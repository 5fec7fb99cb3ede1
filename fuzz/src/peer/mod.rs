//! The protocols, with a peer that says anything.

mod script;
mod sides;
mod stranger;

pub use stranger::stranger;

use script::Session;
use std::sync::LazyLock;
use twain_link::channel::tls::FrameFilter;

/// The stream of frames, cut anywhere.
pub fn frames(bytes: &[u8]) {
    let (mut filter, mut frames) = (FrameFilter::default(), Default::default());
    let Some((&cut, stream)) = bytes.split_first() else { return };
    for part in stream.chunks(usize::from(cut).max(1)) {
        filter.push(part, &mut frames);
    }
    assert!(frames.len() <= stream.len());
}

/// A function of fuzzed bytes that attacks one session, which is recorded when first needed.
macro_rules! attack {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        pub fn $name(bytes: &[u8]) {
            static SESSION: LazyLock<Session> = LazyLock::new(|| Session::record(sides::$name));
            SESSION.attack(bytes);
        }
    };
}

attack!(
    /// Nonces and digests.
    handshake
);
attack!(
    /// Ring-LWE keys, encryptions and answers.
    inner_products
);
attack!(
    /// Base transfers, the extension, digit masks and shared bits.
    digit_material
);
attack!(
    /// Making and reserving a bundle.
    store
);
attack!(
    /// The witness of a circuit: openings, comparisons, lookups, the validity test.
    pair_witness
);
attack!(
    /// The whole proof of a circuit: commitments, challenges, conversions, quotient, openings.
    pair_proof
);
