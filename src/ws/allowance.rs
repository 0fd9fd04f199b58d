//! How much a peer may send: a bucket for its messages, and one for their bytes. A session has one
//! where there is a limit.

use super::bucket::Bucket;
use super::event::{Limit, RateLimited};
use super::settings::Settings;
use crate::net::clock::Tick;

/// What a peer may still send.
#[derive(Debug)]
pub(super) struct Allowance {
    messages: Option<Bucket>,
    bytes: Option<Bucket>,
}

impl Allowance {
    /// All of what `settings` allow.
    pub(super) fn new(settings: &Settings, now: Tick) -> Self {
        let messages = settings.message_rate;
        let bytes = settings.byte_rate;
        Self {
            messages: messages.map(|rate| Bucket::new(rate.messages.into(), rate.per, now)),
            bytes: bytes.map(|rate| Bucket::new(rate.bytes, rate.per, now)),
        }
    }

    /// Whether `settings` set any limit.
    pub(super) fn is_limited(settings: &Settings) -> bool {
        settings.message_rate.is_some() || settings.byte_rate.is_some()
    }

    /// Takes a message of `len` bytes.
    ///
    /// # Errors
    ///
    /// Which limit it would exceed; if both, the one that takes longer. Then nothing is taken.
    pub(super) fn take(&mut self, len: usize, now: Tick) -> Result<(), RateLimited> {
        let ask = |bucket: &mut Option<Bucket>, tokens, limit| {
            let taken = bucket.as_mut().map_or(Ok(0), |all| all.take(tokens, now));
            taken.map_err(|retry_after| RateLimited { limit, retry_after })
        };
        let messages = ask(&mut self.messages, 1, Limit::Messages);
        let bytes = ask(&mut self.bytes, len as u64, Limit::Bytes);
        match (messages, bytes) {
            (Ok(messages), Ok(bytes)) => {
                owe(&mut self.messages, messages);
                owe(&mut self.bytes, bytes);
                Ok(())
            }
            (Err(one), Err(other)) if one.retry_after > other.retry_after => Err(one),
            (_, Err(limited)) | (Err(limited), _) => Err(limited),
        }
    }
}

fn owe(bucket: &mut Option<Bucket>, debt: u128) {
    if let Some(bucket) = bucket {
        bucket.owe(debt);
    }
}
