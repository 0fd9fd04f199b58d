//! Headers of each form (RFC 6455 §5.2): reading a client's, a thousand times, and writing a server's
//! frame beside a copy of its payload.

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use rushwire::bench;

use crate::THOUSAND;
use crate::frames::{Kind, bytes, frame, masked};

/// Lengths of payloads, one for each form of the length.
const FORMS: [usize; 3] = [20, 1024, 64 * 1024];

#[divan::bench(args = FORMS)]
fn parse(bencher: Bencher<'_, '_>, len: usize) {
    let frame = masked(Kind::Binary, &bytes(len));
    let expected = Some((frame.len() - len, len as u64));
    assert_eq!(bench::parse_header(&frame), expected);
    bencher.counter(ItemsCount::new(THOUSAND)).bench_local(|| {
        for _ in 0..THOUSAND {
            black_box(bench::parse_header(black_box(&frame)));
        }
    });
}

#[divan::bench(args = FORMS)]
fn encode(bencher: Bencher<'_, '_>, len: usize) {
    let payload = bytes(len);
    let mut out = Vec::new();
    bench::encode(&mut out, &payload);
    assert_eq!(out, frame(Kind::Binary, &payload, None));
    bencher.counter(BytesCount::new(len)).bench_local(|| {
        out.clear();
        bench::encode(black_box(&mut out), black_box(&payload));
    });
}

#[divan::bench(args = FORMS)]
fn copy(bencher: Bencher<'_, '_>, len: usize) {
    let payload = bytes(len);
    let mut out = Vec::new();
    out.extend_from_slice(&payload);
    assert_eq!(out, payload);
    bencher.counter(BytesCount::new(len)).bench_local(|| {
        out.clear();
        black_box(&mut out).extend_from_slice(black_box(&payload));
    });
}
