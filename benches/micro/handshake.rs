//! The opening handshake (RFC 6455 §4.2): reading the request, checking it, and the answer.

use divan::{Bencher, black_box};
use rushwire::bench::{self, Request};

use crate::requests::{ANSWER, BROWSER, Handshake, PLAIN};

const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

const REQUESTS: [Handshake; 2] = [PLAIN, BROWSER];

#[divan::bench(args = REQUESTS)]
fn parse(bencher: Bencher<'_, '_>, request: Handshake) {
    let bytes = request.text.as_bytes();
    assert!(Request::parse(bytes).is_some());
    bencher.bench_local(|| Request::parse(black_box(bytes)));
}

#[divan::bench(args = REQUESTS)]
fn check(bencher: Bencher<'_, '_>, request: Handshake) {
    let head = Request::parse(request.text.as_bytes()).expect("a request");
    assert_eq!(head.key(), Some(KEY));
    bencher.bench_local(|| black_box(&head).key().is_some());
}

#[divan::bench]
fn accept_key(bencher: Bencher<'_, '_>) {
    assert_eq!(bench::accept_key(KEY), ACCEPT.as_bytes());
    bencher.bench_local(|| bench::accept_key(black_box(KEY)));
}

#[divan::bench]
fn answer(bencher: Bencher<'_, '_>) {
    let mut out = Vec::new();
    bench::answer(&mut out, KEY);
    assert_eq!(out, ANSWER.as_bytes());
    bencher.bench_local(|| {
        out.clear();
        bench::answer(black_box(&mut out), black_box(KEY));
    });
}

/// From the bytes of the request to those of the answer.
#[divan::bench(args = REQUESTS)]
fn whole(bencher: Bencher<'_, '_>, request: Handshake) {
    let bytes = request.text.as_bytes();
    let mut out = Vec::new();
    assert!(bench::open(&mut out, bytes));
    assert_eq!(out, ANSWER.as_bytes());
    bencher.bench_local(|| {
        out.clear();
        bench::open(black_box(&mut out), black_box(bytes))
    });
}
