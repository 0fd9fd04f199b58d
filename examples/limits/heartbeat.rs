//! `/heartbeat`: a heartbeat of the application's own, beside the library's. It measures round trips, and
//! ends who does not answer.

use std::cell::Cell;
use std::rc::Rc;
use std::time::{Duration, Instant};

use rushwire::{Socket, event};
use serde_json::json;

use crate::tell;

/// So many beats without an answer, and the peer counts as gone.
const MISSED: u32 = 2;

/// The beats of one socket.
struct Heart {
    began: Instant,
    /// The number of the last ping, and when it was sent.
    last: Cell<(u32, Duration)>,
    /// The number of the last ping that was answered.
    answered: Cell<u32>,
}

/// Somebody comes in.
pub(crate) fn welcome(socket: &Socket, period: Duration) {
    let heart = Rc::new(Heart {
        began: Instant::now(),
        last: Cell::default(),
        answered: Cell::default(),
    });
    let millis = period.as_millis() as u64;
    tell(socket, &json!({ "type": "welcome", "period": millis }));

    let (beating, peer) = (Rc::clone(&heart), socket.clone());
    let timer = socket
        .hub()
        .set_interval(period, move |_| beating.beat(&peer));
    socket.on(event::Pong, move |socket, payload| {
        heart.hear(socket, payload)
    });
    socket.on(event::Close, move |_, _| {
        timer.cancel();
    });
}

impl Heart {
    fn beat(&self, socket: &Socket) {
        let (last, _) = self.last.get();
        if last - self.answered.get() >= MISSED {
            // It fails only for codes that may not be sent.
            let _ = socket.close_with(1001, "No heartbeat");
            return;
        }
        let number = last.wrapping_add(1);
        self.last.set((number, self.began.elapsed()));
        socket.ping(&number.to_be_bytes());
    }

    /// A pong that answers the last ping. What answers another, or was never asked for
    /// (RFC 6455 §5.5.3), says nothing of the round trip.
    fn hear(&self, socket: &Socket, payload: &[u8]) {
        let (last, sent) = self.last.get();
        if *payload != last.to_be_bytes() || self.answered.get() == last {
            return;
        }
        self.answered.set(last);
        let micros = (self.began.elapsed() - sent).as_micros() as u64;
        let message =
            json!({ "type": "heartbeat", "beat": last, "roundTrip": micros as f64 / 1e3 });
        tell(socket, &message);
    }
}
