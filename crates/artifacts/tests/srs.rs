//! Reference strings: EZKL's are right and come out the same; a `.ptau` file gives the same powers.

mod common;

use common::{bytes, path};
use rand_chacha::ChaCha20Rng;
use rand_core::SeedableRng;
use std::fs;
use twain_algebra::{G1Affine, Uninterrupted};
use twain_artifacts::srs::{PointCheck, Powers, PowersOfTau, SrsError, SrsFile, check, write_srs};

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::seed_from_u64(1)
}

#[test]
fn ezkl_s_files_are_right_and_round_trip() {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("copy.srs");
    for k in [8, 9] {
        let name = format!("kzg{k}.srs");
        let srs = SrsFile::open(&path("srs", &name)).unwrap();
        assert_eq!(srs.k(), k);
        let g = srs.g(k, PointCheck::OnCurve).unwrap();
        let lagrange = srs.g_lagrange(PointCheck::OnCurve).unwrap();
        assert_eq!((g.len(), lagrange.len()), (1 << k, 1 << k));
        let (g2, s_g2) = (srs.g2(), srs.s_g2());
        let verdict = |g_lagrange: &[G1Affine]| {
            let powers = Powers { g: &g, g_lagrange: Some(g_lagrange), g2: &g2, s_g2: &s_g2 };
            check(&powers, &mut rng(), &Uninterrupted)
        };
        assert_eq!(verdict(&lagrange), Ok(()));
        let mut swapped = lagrange.clone();
        swapped.swap(3, 4);
        assert_eq!(verdict(&swapped), Err(SrsError::Lagrange));
        assert_eq!(srs.g(k - 1, PointCheck::Coordinates).unwrap(), g[..1 << (k - 1)]);
        assert!(srs.g(k + 1, PointCheck::Coordinates).unwrap_err().to_string().contains("needed"));
        write_srs(&copy, &g, &lagrange, &g2, &s_g2).unwrap();
        assert!(fs::read(&copy).unwrap() == bytes("srs", &name));
    }
    assert!(write_srs(&copy, &[], &[], &Default::default(), &Default::default()).is_err());
}

#[test]
fn damaged_files_are_refused() {
    let original = bytes("srs", "kzg8.srs");
    assert!(SrsFile::parse(&original[..original.len() - 1]).is_err());
    assert!(SrsFile::parse(&[original.as_slice(), &[0]].concat()).is_err());
    assert!(SrsFile::parse(&original[..3]).is_err());
    assert!(SrsFile::parse(&[0xff; 300]).is_err());
    let mut wrong = original.clone();
    let last = wrong.len() - 1;
    wrong[last] ^= 1;
    assert!(SrsFile::parse(&wrong).err().unwrap().to_string().contains("twist"));
    let mut wrong = original;
    wrong[4 + 64] ^= 1;
    let srs = SrsFile::parse(&wrong).unwrap();
    assert!(srs.g(8, PointCheck::Coordinates).is_ok());
    assert!(srs.g(8, PointCheck::OnCurve).is_err());
    assert!(srs.g(0, PointCheck::OnCurve).is_ok());
}

/// A `.ptau` file of power 7 with the powers of kzg8.srs (whose G2 part has only two points, so the
/// others are left 0).
fn ptau() -> Vec<u8> {
    let srs = bytes("srs", "kzg8.srs");
    let twist = &srs[srs.len() - 256..];
    let modulus = "47fd7cd8168c203c8dca7168916a81975d588181b64550b829a031e1724e6430";
    let mut header = 32u32.to_le_bytes().to_vec();
    header.extend(hex::decode(modulus).unwrap());
    header.extend([7, 0, 0, 0, 9, 0, 0, 0]);
    let g1 = srs[4..4 + 64 * 255].to_vec();
    let g2 = [twist, &[0; 126 * 128]].concat();
    let mut file = b"ptau".to_vec();
    file.extend([1, 0, 0, 0, 4, 0, 0, 0]);
    for (kind, content) in [(1u32, header), (7, vec![5; 9]), (2, g1), (3, g2)] {
        file.extend(kind.to_le_bytes());
        file.extend((content.len() as u64).to_le_bytes());
        file.extend(content);
    }
    file
}

#[test]
fn powers_of_tau() {
    let file = ptau();
    let powers = PowersOfTau::parse(&file).unwrap();
    let srs = SrsFile::open(&path("srs", "kzg8.srs")).unwrap();
    assert_eq!((powers.power(), powers.g2(), powers.s_g2()), (7, srs.g2(), srs.s_g2()));
    let g = powers.g(7, PointCheck::OnCurve).unwrap();
    assert_eq!(g, srs.g(7, PointCheck::OnCurve).unwrap());
    let (g2, s_g2) = (powers.g2(), powers.s_g2());
    let lagrange = twain_algebra::g_lagrange_from_g(&g).unwrap();
    for g_lagrange in [None, Some(lagrange.as_slice())] {
        let powers = Powers { g: &g, g_lagrange, g2: &g2, s_g2: &s_g2 };
        assert_eq!(check(&powers, &mut rng(), &Uninterrupted), Ok(()));
    }
    assert!(powers.g(8, PointCheck::OnCurve).is_err());
    // magic, version, sections, type and length of the first, width, modulus, power
    for offset in [0, 4, 8, 12, 16, 24, 28, 60] {
        let mut wrong = file.clone();
        wrong[offset] ^= if offset == 8 { 7 } else { 0x55 };
        assert!(PowersOfTau::parse(&wrong).is_err(), "byte {offset}");
    }
    for length in [0, 11, 30, 80, file.len() - 126 * 128, file.len() - 1] {
        assert!(PowersOfTau::parse(&file[..length]).is_err(), "{length} bytes");
    }
}
