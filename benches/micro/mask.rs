//! Masking, and whole frames parsed and unmasked, beside a copy of as many bytes (RFC 6455 §5.3).
//!
//! Short payloads lie in a row of [`ROW`] bytes, as in a read.

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use rushwire::bench::{self, Decoder};

use crate::frames::{KEY, Kind, bytes, masked};

const SIZES: [usize; 5] = [20, 125, 1024, 16 * 1024, 1024 * 1024];

const ROW: usize = 64 * 1024;

/// How many payloads of `len` bytes an iteration has.
fn count(len: usize) -> usize {
    (ROW / len).max(1)
}

fn in_all(len: usize) -> BytesCount {
    BytesCount::new(len * count(len))
}

fn copy_each(to: &mut [u8], from: &[u8], len: usize) {
    for (to, from) in to.chunks_exact_mut(len).zip(from.chunks_exact(len)) {
        to.copy_from_slice(from);
    }
}

#[divan::bench(args = SIZES)]
fn memcpy(bencher: Bencher<'_, '_>, len: usize) {
    let from = bytes(len).repeat(count(len));
    let mut to = vec![0; from.len()];
    copy_each(&mut to, &from, len);
    assert_eq!(to, from);
    bencher
        .counter(in_all(len))
        .bench_local(|| copy_each(black_box(&mut to), black_box(&from), len));
}

#[divan::bench(args = SIZES)]
fn mask(bencher: Bencher<'_, '_>, len: usize) {
    let mut payload = bytes(len);
    bench::mask(&mut payload, KEY);
    assert!(masked(Kind::Binary, &bytes(len)).ends_with(&payload));
    let mut row = payload.repeat(count(len));
    bencher.counter(in_all(len)).bench_local(|| {
        let key = black_box(KEY);
        for payload in black_box(&mut row).chunks_exact_mut(len) {
            bench::mask(payload, key);
        }
    });
}

#[divan::bench(args = SIZES)]
fn parse_and_unmask(bencher: Bencher<'_, '_>, len: usize) {
    let mut row = masked(Kind::Binary, &bytes(len)).repeat(count(len));
    let mut decoder = Decoder::new(len);
    let mut heard = 0;
    let is_right = decoder.read(&mut row.clone(), |message| {
        assert_eq!(message.as_bytes(), bytes(len));
        heard += 1;
    });
    assert!(is_right && heard == count(len));
    bencher.counter(in_all(len)).bench_local(|| {
        decoder.read(black_box(&mut row), |message| {
            black_box(message);
        })
    });
}
