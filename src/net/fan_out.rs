//! The table of writing halves, continued: one message for many, encoded once.

use std::rc::Rc;

use super::flags::Flags;
use super::half::{admit, admit_large};
use super::link::Sent;
use super::links::Table;
use super::parts::Parts;
use super::segment::Span;
use super::slab::Key;

/// One for many is a buffer of its own from this size on: a slow member pins only that.
const LARGE_FOR_MANY: usize = 4 * 1024;

/// One message for many.
enum Frame {
    Small(Span),
    Large(Rc<Vec<u8>>),
}

impl Table {
    pub(super) fn send_encoded(&mut self, key: Key, frame: &Rc<Vec<u8>>) -> Sent {
        if frame.len() < LARGE_FOR_MANY {
            return self.send(key, Parts::whole(frame));
        }
        let sent = self.send_frame(key, &Frame::Large(Rc::clone(frame)));
        self.count_large(frame.len());
        sent
    }

    pub(super) fn send_to_all(
        &mut self,
        members: impl Iterator<Item = u32>,
        parts: Parts<'_>,
        over: &mut Vec<Key>,
    ) -> usize {
        let frame = if parts.len() >= LARGE_FOR_MANY {
            Frame::Large(Rc::new(parts.to_vec()))
        } else {
            self.make_room(parts.len());
            Frame::Small(self.log.append(parts))
        };
        let mut reached = 0;
        for index in members {
            let Some((key, half)) = self.halves.at(index) else {
                continue;
            };
            // The usual case.
            if let Frame::Small(span) = frame
                && !half
                    .flags
                    .has(Flags::CLOSED.and(Flags::CONGESTED).and(Flags::VEILED))
            {
                if half.flags.replace(Flags::QUEUED, true) {
                    half.outbox.push_span(span);
                } else {
                    half.outbox.begin(span);
                    self.queue.push(key);
                }
                reached += 1;
                continue;
            }
            match self.send_frame(key, &frame) {
                Sent::Queued | Sent::Backpressure => reached += 1,
                Sent::Overflow => over.push(key),
                Sent::Dropped | Sent::Closed => {}
            }
        }
        if let Frame::Large(bytes) = frame {
            self.count_large(bytes.len());
        }
        reached
    }

    /// Queues a message to one of many that is congested, or a large one.
    fn send_frame(&mut self, key: Key, frame: &Frame) -> Sent {
        let Some(half) = Self::open(&mut self.halves, key) else {
            return Sent::Closed;
        };
        if half.flags.has(Flags::VEILED) {
            let bytes = match frame {
                Frame::Small(span) => Rc::new(self.log.slice(*span).to_vec()),
                Frame::Large(bytes) => Rc::clone(bytes),
            };
            return self.send_own(key, Parts::whole(&bytes));
        }
        match frame {
            // Others are queued where they are looked up.
            Frame::Small(span) => {
                let bytes = self.log.slice(*span);
                admit(half, &self.limits, &self.tally, bytes.len(), |outbox| {
                    outbox.push_copy(Parts::whole(bytes));
                })
            }
            Frame::Large(bytes) => {
                let sent = admit_large(half, &self.limits, &self.tally, Rc::clone(bytes));
                half.enqueue(key, &mut self.queue);
                sent
            }
        }
    }
}
