//! The decoder by itself, over a thousand messages.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use rushwire::Message;
use rushwire::bench::Decoder;

use crate::THOUSAND;
use crate::frames::masked;
use crate::sample::Sample;

/// All of them in one buffer, as a client that does not wait has sent them.
#[divan::bench(args = Sample::all())]
fn pipelined(bencher: Bencher<'_, '_>, sample: Sample) {
    decode(bencher, sample, |frame| frame * THOUSAND);
}

/// Every frame in two reads.
#[divan::bench(args = Sample::all())]
fn cut_in_two(bencher: Bencher<'_, '_>, sample: Sample) {
    decode(bencher, sample, |frame| frame / 2);
}

/// Decodes a thousand messages that come in portions of as many bytes as `cut` makes of the length of
/// a frame.
fn decode(bencher: Bencher<'_, '_>, sample: Sample, cut: impl Fn(usize) -> usize) {
    let frame = masked(sample.kind, &sample.payload());
    let (mut input, cut) = (frame.repeat(THOUSAND), cut(frame.len()));
    let mut decoder = Decoder::new(sample.len);
    let mut heard = 0;
    let mut hear = |message: Message<'_>| {
        assert_eq!(message.as_bytes(), sample.payload());
        heard += 1;
    };
    for portion in input.clone().chunks_mut(cut) {
        assert!(decoder.read(portion, &mut hear));
    }
    assert_eq!(heard, THOUSAND);
    bencher.counter(ItemsCount::new(THOUSAND)).bench_local(|| {
        for portion in input.chunks_mut(cut) {
            let is_right = decoder.read(portion, |message| {
                black_box(message);
            });
            assert!(is_right);
        }
    });
}
