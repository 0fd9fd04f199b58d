//! Any sequence of sends and short writes: whole messages, in order, none lost without being counted.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::*;

/// A peer that takes as many bytes as the script says, call by call, and then refuses.
#[derive(Default)]
struct Script {
    takes: RefCell<VecDeque<usize>>,
    taken: RefCell<Vec<u8>>,
}

impl Sink for Script {
    fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        let Some(n) = self.takes.borrow_mut().pop_front() else {
            return Err(ErrorKind::WouldBlock.into());
        };
        let n = n.min(bytes.len());
        self.taken.borrow_mut().extend_from_slice(&bytes[..n]);
        Ok(n)
    }

    fn write_vectored(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let all: Vec<&[u8]> = slices.iter().map(|slice| &**slice).collect();
        self.write(&all.concat())
    }
}

/// A message of these tests: its length in two bytes, its kind, its number in four, and padding.
fn message(control: bool, number: u32, len: usize) -> Vec<u8> {
    let len = len.max(7);
    let mut bytes = vec![0xEE; len];
    bytes[..2].copy_from_slice(&(len as u16).to_be_bytes());
    bytes[2] = u8::from(control);
    bytes[3..7].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn measure(bytes: &[u8]) -> Unit {
    let len = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    assert!(
        len >= 7 && len <= bytes.len() && bytes[2] <= 1,
        "measured in the middle of a message"
    );
    Unit {
        len,
        control: bytes[2] == 1,
    }
}

/// The kind and number of each message in `bytes`, and what is left of one that is cut.
fn messages(mut bytes: &[u8]) -> (Vec<(bool, u32)>, usize) {
    let mut found = Vec::new();
    while bytes.len() >= 7 {
        let len = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
        if len > bytes.len() {
            break;
        }
        found.push((
            bytes[2] == 1,
            u32::from_be_bytes(bytes[3..7].try_into().unwrap()),
        ));
        bytes = &bytes[len..];
    }
    (found, bytes.len())
}

/// One link's outbox with the log that it shares, as the table of links drives it.
#[derive(Default)]
struct Bench {
    outbox: Outbox,
    log: Log,
    sink: Script,
    congested: bool,
    pinnable: usize,
    sent: u32,
    dropped: usize,
}

impl Bench {
    fn send(&mut self, control: bool, len: usize, shared: bool) {
        let bytes = message(control, self.sent, len);
        self.sent += 1;
        match (self.congested, control, shared) {
            (true, true, _) => self.outbox.interject(Parts::whole(&bytes)),
            (_, false, true) => self.outbox.push_shared(Rc::new(bytes)),
            (true, false, false) => self.outbox.push_copy(Parts::whole(&bytes)),
            (false, _, _) => {
                let span = self.log.append(Parts::whole(&bytes));
                self.outbox.push_span(span);
            }
        }
    }

    /// Something that goes to others only, so that spans are not adjacent.
    fn skip(&mut self) {
        self.log.append(Parts::whole(b"for another"));
    }

    fn flush(&mut self, takes: &[usize]) {
        self.sink.takes.borrow_mut().extend(takes);
        self.congested = !self.outbox.write(&self.sink, &self.log, measure).unwrap();
        self.sink.takes.borrow_mut().clear();
        if self.congested {
            self.outbox.detach(&mut self.log, self.pinnable);
        }
        self.log.clear();
    }
}

#[test]
fn any_sends_and_short_writes_keep_messages_whole_and_in_order() {
    let mut x = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = move |n: u64| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 16) % n
    };
    for round in 0..if cfg!(miri) { 5 } else { 3_000 } {
        let mut bench = Bench {
            pinnable: next(2) as usize * usize::MAX,
            ..Bench::default()
        };
        for _ in 0..next(40) {
            match next(12) {
                0..=4 => bench.send(false, next(60) as usize, false),
                5 => bench.send(false, next(300) as usize, true),
                6..=7 => bench.send(true, 0, false),
                8 => bench.skip(),
                9 if bench.congested => {
                    bench.dropped += bench.outbox.drop_oldest(next(200) as usize, measure)
                }
                _ => {
                    let takes: Vec<usize> = (0..next(4)).map(|_| 1 + next(50) as usize).collect();
                    bench.flush(&takes);
                }
            }
        }
        let waiting = bench.outbox.messages(&bench.log, measure);
        let before = data_that_arrived(&bench, round);
        bench.flush(&[usize::MAX; 64]);
        assert!(
            bench.outbox.is_empty() && bench.outbox.weight() == 0,
            "round {round}"
        );
        // One that was partly written had not arrived yet.
        assert_eq!(
            data_that_arrived(&bench, round),
            before + waiting,
            "round {round}"
        );
        let (arrived, cut) = messages(&bench.sink.taken.borrow());
        assert_eq!(
            (arrived.len() + bench.dropped, cut),
            (bench.sent as usize, 0),
            "round {round}: {arrived:?}"
        );
    }
}

/// How many messages of the application have arrived. They are in order, and none came twice.
fn data_that_arrived(bench: &Bench, round: u64) -> usize {
    let (arrived, _) = messages(&bench.sink.taken.borrow());
    let data: Vec<u32> = arrived
        .iter()
        .filter(|(control, _)| !control)
        .map(|(_, number)| *number)
        .collect();
    assert!(
        data.is_sorted_by(|a, b| a < b),
        "round {round}: {arrived:?}"
    );
    data.len()
}

#[test]
fn control_traffic_goes_behind_the_message_that_is_partly_written_and_ahead_of_the_rest() {
    let mut bench = Bench::default();
    (0..3).for_each(|_| bench.send(false, 20, false));
    bench.flush(&[25]);
    bench.send(true, 0, false);
    bench.send(true, 0, false);
    bench.flush(&[usize::MAX]);
    let (arrived, _) = messages(&bench.sink.taken.borrow());
    assert_eq!(
        arrived,
        [(false, 0), (false, 1), (true, 3), (true, 4), (false, 2)]
    );
}

#[test]
fn dropping_spares_what_is_partly_written_and_all_control_traffic() {
    let mut bench = Bench::default();
    (0..4).for_each(|_| bench.send(false, 20, false));
    bench.flush(&[5]);
    bench.send(true, 0, false);
    assert_eq!(bench.outbox.drop_oldest(0, measure), 3);
    bench.send(false, 20, false);
    bench.flush(&[usize::MAX]);
    let (arrived, _) = messages(&bench.sink.taken.borrow());
    assert_eq!(arrived, [(false, 0), (true, 4), (false, 5)]);
}

#[test]
fn a_sealed_front_is_never_cut_nor_counted() {
    let mut bench = Bench::default();
    let span = bench.log.append(Parts::whole(&[b'H'; 100]));
    bench.outbox.push_span(span);
    bench.outbox.seal(100);
    bench.send(false, 20, false);
    bench.flush(&[40]);
    assert_eq!(bench.outbox.messages(&bench.log, measure), 1);
    bench.send(true, 0, false);
    assert_eq!(bench.outbox.drop_oldest(0, measure), 1);
    bench.flush(&[usize::MAX]);
    let taken = bench.sink.taken.take();
    assert_eq!(taken[..100], [b'H'; 100]);
    assert_eq!(messages(&taken[100..]).0, [(true, 1)]);
}

#[test]
fn a_long_remainder_shares_the_log_and_a_short_one_does_not() {
    let mut bench = Bench::default();
    bench.send(false, 60_000, false);
    bench.flush(&[]);
    assert_eq!(bench.outbox.weight(), 60_000);
    for (pinnable, weight) in [(1_000_000, 180_000), (100_000, 175_000)] {
        let mut bench = Bench {
            pinnable,
            ..Bench::default()
        };
        (0..3).for_each(|_| bench.send(false, 60_000, false));
        bench.flush(&[5_000]);
        assert_eq!(bench.outbox.weight(), weight, "what is pinned counts");
        bench.flush(&[usize::MAX]);
        assert_eq!(messages(&bench.sink.taken.borrow()).0.len(), 3);
    }
}

#[test]
fn the_rest_of_a_message_does_not_keep_what_was_dropped_behind_it() {
    let mut bench = Bench {
        pinnable: 1_000_000,
        ..Bench::default()
    };
    (0..100).for_each(|_| bench.send(false, 1000, false));
    bench.flush(&[500]);
    assert_eq!(bench.outbox.weight(), 100_000, "it shares the log");
    assert_eq!(bench.outbox.drop_oldest(0, measure), 99);
    assert_eq!((bench.outbox.len(), bench.outbox.weight()), (500, 500));
    assert!(bench.outbox.share() < 1000);
}

#[test]
fn a_flood_of_control_traffic_is_one_segment() {
    let mut bench = Bench::default();
    (0..3).for_each(|_| bench.send(false, 20, false));
    bench.flush(&[25]);
    let count = if cfg!(miri) { 100 } else { 100_000 };
    (0..count).for_each(|_| bench.send(true, 7, false));
    let segments = &bench.outbox.older.as_ref().unwrap().segments;
    assert!(segments.len() <= 4, "{} segments", segments.len());
    assert!(bench.outbox.weight() <= 7 * count + 60);
    bench.flush(&[usize::MAX; 8]);
    assert_eq!(messages(&bench.sink.taken.borrow()).0.len(), 3 + count);
}
