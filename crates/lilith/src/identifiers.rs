//! Names that the server makes: identifiers sorted by time (UUID version 7), secrets, and times as
//! text.

use aws_lc_rs::rand;
use sha2::{Digest, Sha256};
use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the Unix epoch.
pub fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Random bytes of the operating system's generator, as `aws-lc-rs` gives them.
fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    // It fails only where the system has no randomness at all; then nothing may go on.
    rand::fill(&mut bytes).expect("the operating system gives random bytes");
    bytes
}

/// A new identifier: UUID version 7.
pub fn uuid() -> String {
    let mut bytes: [u8; 16] = random();
    bytes[..6].copy_from_slice(&now().to_be_bytes()[2..]);
    bytes[6] = 0x70 | (bytes[6] & 0x0f);
    bytes[8] = 0x80 | (bytes[8] & 0x3f);
    let digits = hex::encode(bytes);
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    parts.join("-")
}

/// A short name that cannot be guessed but is no secret: 8 hexadecimal digits.
pub fn short() -> String {
    hex::encode(random::<4>())
}

/// A secret of 256 bits, as hexadecimal digits.
pub fn secret() -> String {
    hex::encode(random::<32>())
}

/// A secret of 256 bits.
pub fn secret_bytes() -> [u8; 32] {
    random()
}

/// SHA-256 as hexadecimal digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A time in milliseconds as RFC 3339 writes it, in UTC.
pub fn rfc3339(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    let millis = milliseconds.rem_euclid(1000);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// Year, month and day of a day after the epoch: years begin in March, so that the leap day is
/// last.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_the_calendar() {
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(rfc3339(951_782_400_000), "2000-02-29T00:00:00.000Z");
        assert_eq!(rfc3339(1_735_689_599_999), "2024-12-31T23:59:59.999Z");
        assert_eq!(rfc3339(-1), "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn identifiers_are_distinct_and_sorted_by_time() {
        let first = uuid();
        std::thread::sleep(std::time::Duration::from_millis(2));
        let second = uuid();
        assert!(first < second, "{first} {second}");
        assert_eq!((first.len(), &first[14..15]), (36, "7"));
        assert_ne!(secret(), secret());
    }
}
