//! Requests a second: each token has a bucket that fills evenly.

use super::lock::lock;
use crate::error::{Code, ServiceError};
use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Instant;

/// More tokens than this at a time: those not used lately are forgotten, and have full buckets
/// again.
const MOST: usize = 10_000;

/// The buckets.
#[derive(Debug)]
pub struct Limiter {
    a_second: f64,
    buckets: Mutex<HashMap<String, (f64, Instant)>>,
}

impl Limiter {
    /// Lets so many through a second, and twice as many at once.
    pub fn new(a_second: u32) -> Self {
        Self { a_second: f64::from(a_second.max(1)), buckets: Mutex::default() }
    }

    /// Lets a request of `who` through, or says when to come again.
    pub fn admit(&self, who: &str) -> Result<(), ServiceError> {
        let (now, full) = (Instant::now(), 2.0 * self.a_second);
        let mut buckets = lock(&self.buckets);
        if buckets.len() > MOST {
            buckets.retain(|_, (_, last)| now.duration_since(*last).as_secs() < 10);
        }
        let (level, last) = buckets.entry(who.to_string()).or_insert((full, now));
        *level = (*level + now.duration_since(*last).as_secs_f64() * self.a_second).min(full);
        *last = now;
        if *level < 1.0 {
            let mut error = ServiceError::new(Code::Quota, "too many requests a second");
            error.retry_after = Some(1);
            return Err(error);
        }
        *level -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_that_asks_too_often_does_not_slow_the_others() {
        let limiter = Limiter::new(1);
        assert!(limiter.admit("a").is_ok() && limiter.admit("a").is_ok());
        let error = limiter.admit("a").unwrap_err();
        assert_eq!((error.code, error.retry_after), (Code::Quota, Some(1)));
        assert!(limiter.admit("b").is_ok());
    }
}
