//! The heartbeat's clock, for peers that have none of their own.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Instant, Interval, MissedTickBehavior, interval_at};

/// When one connection is to be pinged next: wait for [`Pulse::beat`] in a `select!`.
#[derive(Debug)]
pub struct Pulse(Option<Interval>);

impl Pulse {
    /// The first beat is one `period` from now; without a period there is none.
    pub fn new(period: Option<Duration>) -> Self {
        Self(period.map(|period| {
            let mut interval = interval_at(Instant::now() + period, period);
            interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
            interval
        }))
    }

    /// Waits for the next beat. Nothing is lost when it is cancelled.
    pub async fn beat(&mut self) {
        poll_fn(|context| self.poll_beat(context)).await;
    }

    /// [`Pulse::beat`] for a stream that is written by hand.
    pub fn poll_beat(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.0 {
            Some(interval) => interval.poll_tick(context).map(|_| ()),
            None => Poll::Pending,
        }
    }
}
