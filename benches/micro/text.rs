//! UTF-8 (RFC 6455 §8.1): text messages through the decoder, beside the standard library's own check.
//!
//! `binary` is the same frame as a binary message, so what the check costs is `whole` less `binary`.

use std::fmt;
use std::str;

use divan::counter::BytesCount;
use divan::{Bencher, black_box};
use rushwire::Message;
use rushwire::bench::Decoder;

use crate::frames::{self, Kind, masked};

const SIZES: [usize; 3] = [64, 4096, 1024 * 1024];

const SCRIPTS: [(&str, &str); 4] = [
    ("ASCII", frames::ASCII),
    ("mixed", "Träume kosten 5 € a day, 日本 and café 😀 too. "),
    ("Cyrillic", "Съешь же ещё этих мягких французских булок. "),
    ("CJK", frames::CJK),
];

/// As much as one read gives.
const READ: usize = 64 * 1024;

struct Sample {
    name: String,
    text: String,
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

fn samples() -> impl Iterator<Item = Sample> {
    let sample = |(script, phrase), len| Sample {
        name: format!("{script}, {len} B"),
        text: frames::text(phrase, len),
    };
    SCRIPTS
        .into_iter()
        .flat_map(move |script| SIZES.map(|len| sample(script, len)))
}

#[divan::bench(args = samples())]
fn std(bencher: Bencher<'_, '_>, sample: &Sample) {
    let bytes = sample.text.as_bytes();
    assert_eq!(str::from_utf8(bytes), Ok(&*sample.text));
    bencher
        .counter(BytesCount::new(bytes.len()))
        .bench_local(|| str::from_utf8(black_box(bytes)).is_ok());
}

#[divan::bench(args = samples())]
fn binary(bencher: Bencher<'_, '_>, sample: &Sample) {
    decode(bencher, sample, Kind::Binary, usize::MAX);
}

#[divan::bench(args = samples())]
fn whole(bencher: Bencher<'_, '_>, sample: &Sample) {
    decode(bencher, sample, Kind::Text, usize::MAX);
}

/// A frame that comes in two halves, or in several reads if it is long.
#[divan::bench(args = samples())]
fn in_portions(bencher: Bencher<'_, '_>, sample: &Sample) {
    decode(bencher, sample, Kind::Text, READ.min(sample.text.len() / 2));
}

/// Decodes one frame that comes in portions of `cut` bytes.
fn decode(bencher: Bencher<'_, '_>, sample: &Sample, kind: Kind, cut: usize) {
    let mut frame = masked(kind, sample.text.as_bytes());
    let mut decoder = Decoder::new(sample.text.len());
    let mut heard = Vec::new();
    let mut hear = |message: Message<'_>| {
        assert_eq!(message.is_text(), kind == Kind::Text);
        heard.push(message.as_bytes().to_vec());
    };
    for portion in frame.clone().chunks_mut(cut) {
        assert!(decoder.read(portion, &mut hear));
    }
    assert_eq!(heard, [sample.text.as_bytes()]);
    bencher
        .counter(BytesCount::new(sample.text.len()))
        .bench_local(|| {
            for portion in black_box(&mut frame).chunks_mut(cut) {
                let is_right = decoder.read(portion, |message| {
                    black_box(message);
                });
                assert!(is_right);
            }
        });
}
