//! How many messages a peer may send: a bucket of tokens.

use super::event::RateLimited;
use super::settings::Rate;
use crate::net::clock::Tick;

/// A bucket of tokens: each message takes one, and they come back evenly.
#[derive(Debug)]
pub(super) struct Bucket {
    rate: Rate,
    tokens: f64,
    filled: Tick,
}

impl Bucket {
    pub(super) fn new(rate: Rate, now: Tick) -> Self {
        Self {
            rate,
            tokens: f64::from(rate.messages),
            filled: now,
        }
    }

    pub(super) fn take(&mut self, now: Tick) -> Result<(), RateLimited> {
        let per_token = self.rate.per.div_f64(f64::from(self.rate.messages.max(1)));
        let refill =
            self.filled.elapsed(now).as_secs_f64() / per_token.as_secs_f64().max(f64::MIN_POSITIVE);
        self.tokens = (self.tokens + refill).min(f64::from(self.rate.messages));
        self.filled = now;
        if self.tokens < 1.0 {
            return Err(RateLimited {
                retry_after: per_token.mul_f64(1.0 - self.tokens),
            });
        }
        self.tokens -= 1.0;
        Ok(())
    }
}
