//! The table of all writing halves of a reactor, and queueing. Writing and ending are in [`writing`](super::writing).

use std::cell::{RefCell, RefMut};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::Rc;
use std::time::Instant;

use super::clock::{Clock, Tick};
use super::half::{Half, admit, admit_large};
use super::link::{Limits, Sent, Stage};
use super::segment::{Log, Span};
use super::slab::{Key, Slab};
use super::stream::Stream;

/// What writing brought about, to be told when no listener runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Raised {
    Drained(Key),
    Dead(Key),
}

/// A message of this many bytes or more is a buffer of its own, and never in the log.
const LARGE: usize = 64 * 1024;
/// One for many is a buffer of its own already from this size on: a slow member pins only that.
const LARGE_FOR_MANY: usize = 4 * 1024;
/// Room for a control frame: header, mask and 125 bytes.
const CONTROL: usize = 131;

/// One message for many.
enum Frame {
    Small(Span),
    Large(Rc<Vec<u8>>),
}

/// The writing halves of a reactor.
#[derive(Debug)]
pub(crate) struct Links(RefCell<Table>);

#[derive(Debug)]
pub(super) struct Table {
    pub(super) halves: Slab<Half>,
    /// Links with something to write.
    pub(super) queue: Vec<Key>,
    pub(super) log: Log,
    /// Bytes queued in large buffers since all was last written.
    pub(super) large: usize,
    pub(super) raised: Vec<Raised>,
    /// Links whose reading was on hold and may go on.
    pub(super) resumed: Vec<Key>,
    pub(super) alarms: BinaryHeap<Reverse<(u64, Key)>>,
    pub(super) clock: Clock,
    pub(super) limits: Limits,
}

impl Links {
    pub(crate) fn new(limits: Limits) -> Rc<Self> {
        Rc::new(Self(RefCell::new(Table {
            halves: Slab::default(),
            queue: Vec::new(),
            log: Log::default(),
            large: 0,
            raised: Vec::new(),
            resumed: Vec::new(),
            alarms: BinaryHeap::new(),
            clock: Clock::new(Instant::now()),
            limits,
        })))
    }

    pub(crate) fn now(&self) -> Tick {
        self.table().clock.tick()
    }

    /// Queues one message to many, encoded once; returns how many were reached. Those that are to be
    /// closed because too much waits for them are added to `over`.
    pub(crate) fn send_to_all(
        &self,
        members: impl Iterator<Item = u32>,
        len: usize,
        encode: impl FnOnce(&mut Vec<u8>),
        over: &mut Vec<Key>,
    ) -> usize {
        self.table().send_to_all(members, len, encode, over)
    }

    pub(super) fn table(&self) -> RefMut<'_, Table> {
        self.0.borrow_mut()
    }
}

impl Table {
    /// Adds a connection.
    pub(super) fn insert(&mut self, stream: Stream) -> Option<Key> {
        self.halves.insert(Half::new(stream))
    }

    pub(super) fn send(&mut self, key: Key, len: usize, encode: impl FnOnce(&mut Vec<u8>)) -> Sent {
        if len >= LARGE {
            return self.send_large(key, encode);
        }
        self.make_room(len);
        let Some(half) = self.halves.get_mut(key) else {
            return Sent::Closed;
        };
        if half.stage != Stage::Open {
            return Sent::Closed;
        }
        if half.is_congested() {
            return admit(half, &self.limits, len, |outbox| outbox.push_copy(encode));
        }
        half.outbox.push_span(self.log.append(encode));
        half.enqueue(key, &mut self.queue);
        Sent::Queued
    }

    fn send_large(&mut self, key: Key, encode: impl FnOnce(&mut Vec<u8>)) -> Sent {
        let Some(half) = self.halves.get_mut(key) else {
            return Sent::Closed;
        };
        if half.stage != Stage::Open {
            return Sent::Closed;
        }
        let mut bytes = Vec::new();
        encode(&mut bytes);
        let len = bytes.len();
        let sent = admit_large(half, &self.limits, Rc::new(bytes));
        half.enqueue(key, &mut self.queue);
        self.count_large(len);
        sent
    }

    pub(super) fn send_encoded(&mut self, key: Key, frame: &Rc<Vec<u8>>) -> Sent {
        if frame.len() < LARGE_FOR_MANY {
            return self.send(key, frame.len(), |out| out.extend_from_slice(frame));
        }
        let sent = self.send_frame(key, &Frame::Large(Rc::clone(frame)));
        self.count_large(frame.len());
        sent
    }

    fn send_to_all(
        &mut self,
        members: impl Iterator<Item = u32>,
        len: usize,
        encode: impl FnOnce(&mut Vec<u8>),
        over: &mut Vec<Key>,
    ) -> usize {
        let frame = if len >= LARGE_FOR_MANY {
            let mut bytes = Vec::new();
            encode(&mut bytes);
            Frame::Large(Rc::new(bytes))
        } else {
            self.make_room(len);
            Frame::Small(self.log.append(encode))
        };
        let mut reached = 0;
        for index in members {
            let Some(key) = self.halves.key_at(index) else {
                continue;
            };
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

    fn send_frame(&mut self, key: Key, frame: &Frame) -> Sent {
        let Some(half) = self.halves.get_mut(key) else {
            return Sent::Closed;
        };
        if half.stage != Stage::Open {
            return Sent::Closed;
        }
        match frame {
            Frame::Large(bytes) => {
                let sent = admit_large(half, &self.limits, Rc::clone(bytes));
                half.enqueue(key, &mut self.queue);
                sent
            }
            Frame::Small(span) if half.is_congested() => {
                let bytes = self.log.slice(*span);
                admit(half, &self.limits, bytes.len(), |outbox| {
                    outbox.push_copy(|out| out.extend_from_slice(bytes))
                })
            }
            Frame::Small(span) => {
                half.outbox.push_span(*span);
                half.enqueue(key, &mut self.queue);
                Sent::Queued
            }
        }
    }

    pub(super) fn send_control(
        &mut self,
        key: Key,
        overtake: bool,
        encode: impl FnOnce(&mut Vec<u8>),
    ) -> bool {
        self.make_room(CONTROL);
        let Some(half) = self
            .halves
            .get_mut(key)
            .filter(|half| half.stage == Stage::Open)
        else {
            return false;
        };
        if !half.is_congested() {
            half.outbox.push_span(self.log.append(encode));
            half.enqueue(key, &mut self.queue);
        } else if overtake {
            half.outbox.interject(encode);
        } else {
            half.outbox.push_copy(encode);
        }
        // Too many pings that are not read: none are answered until they are.
        half.stalled |= half.outbox.weight() > self.limits.max_backpressure / 2;
        true
    }

    pub(super) fn send_raw(&mut self, key: Key, bytes: Vec<u8>) -> bool {
        let len = bytes.len();
        self.make_room(len);
        let Some(half) = self
            .halves
            .get_mut(key)
            .filter(|half| half.stage == Stage::Open)
        else {
            return false;
        };
        half.outbox.seal(len);
        if len >= LARGE {
            half.outbox.push_shared(Rc::new(bytes));
        } else if half.is_congested() {
            half.outbox.push_copy(|out| out.extend_from_slice(&bytes));
        } else {
            half.outbox
                .push_span(self.log.append(|log| log.extend_from_slice(&bytes)));
        }
        half.enqueue(key, &mut self.queue);
        true
    }
}
