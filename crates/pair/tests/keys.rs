//! A circuit whose random rows do not hide what a peer can combine is refused when it is planned
//! (protocol §2.3).

use ff::Field;
use twain_algebra::Fr;
use twain_pair::{TwoParty, rehearse};
use twain_party::{
    CellKinds, Kind, Node, Numerator, PartyError, ProverParty, QuotientOperands, SecretPolynomial,
    Watched,
};

const K: u32 = 15;
const ROWS: usize = 1 << K;
const USABLE: usize = ROWS - 6;

/// Plans products of a column, at so many rotations, by another one, on a coset. Of the columns'
/// last rows all are random, or none of the first column's.
fn plan(rotations: i32, is_blinded: bool) -> Result<(), PartyError> {
    let mut nodes = vec![Node::Secret(1, 0)];
    for rotation in 0..rotations {
        let factor = nodes.len() as u32;
        nodes.extend([Node::Secret(0, rotation), Node::Product(factor, 0)]);
        if rotation > 0 {
            nodes.push(Node::Sum(factor - 1, factor + 1));
        }
    }
    let numerator = Numerator { nodes, k: K, usable_rows: USABLE };
    let kinds = |is_blinded: bool| {
        let kind = |row| if row < USABLE || is_blinded { Kind::Shared } else { Kind::Public };
        CellKinds::Rows((0..ROWS).map(|row| Some(kind(row))).collect())
    };
    let kinds = [kinds(is_blinded), kinds(true)];
    let none = vec![Fr::ZERO; ROWS];
    rehearse(&Watched::default(), |party: &mut TwoParty<'_>| {
        let secret = |kinds| SecretPolynomial { coefficients: &none, kinds, wires: &[] };
        let secrets = kinds.each_ref().map(secret).to_vec();
        let operands = QuotientOperands { publics: Vec::new(), secrets, pieces: 1 };
        let begun = party.begin_quotient(&numerator, operands)?;
        party.finish_quotient(begun, &numerator).map(drop)
    })
    .map(drop)
}

#[test]
fn more_points_under_a_key_than_random_rows_are_refused() {
    // The first row that is not usable does not count.
    plan(5, true).unwrap();
    let error = plan(6, true).unwrap_err();
    assert!(
        matches!(&error, PartyError::Unsupported(text) if text.contains("random rows")),
        "{error}"
    );
    // A column that hides nothing anyway is not what the check is about.
    plan(6, false).unwrap();
}
