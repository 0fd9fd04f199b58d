//! Every table runs whole, cut in two at every byte, and byte by byte.

use super::BadRequest::*;
use super::*;

/// The content and the bytes that it took, and whether that is all.
type Outcome = Result<(Vec<u8>, usize, bool), BadRequest>;

fn read_pieces<'a>(
    framing: Framing,
    max_body: usize,
    pieces: impl Iterator<Item = &'a [u8]>,
) -> Outcome {
    let mut reader = BodyReader::new(framing, max_body);
    let (mut body, mut used) = (Vec::new(), 0);
    let mut progress = reader.push(&[], &mut body)?;
    for piece in pieces {
        if !progress.done {
            progress = reader.push(piece, &mut body)?;
            used += progress.used;
            assert!(progress.done || progress.used == piece.len());
        }
    }
    let after = reader.push(b"", &mut body)?;
    assert_eq!(
        after,
        BodyProgress {
            used: 0,
            done: progress.done
        }
    );
    Ok((body, used, progress.done))
}

fn read(framing: Framing, max_body: usize, input: &[u8]) -> Outcome {
    let whole = read_pieces(framing, max_body, std::iter::once(input));
    let bytewise = read_pieces(framing, max_body, input.chunks(1));
    assert_eq!(bytewise, whole, "byte by byte: {}", input.escape_ascii());
    let cuts = if cfg!(miri) { 0 } else { input.len().min(512) };
    for cut in 0..cuts {
        let (front, back) = input.split_at(cut);
        let halves = read_pieces(framing, max_body, [front, back].into_iter());
        assert_eq!(halves, whole, "cut at {cut}: {}", input.escape_ascii());
    }
    whole
}

fn chunks(input: &str) -> Outcome {
    read(Framing::Chunked, 64, input.as_bytes())
}

#[test]
fn a_body_without_framing_has_no_bytes() {
    let expected = Ok((Vec::new(), 0, true));
    assert_eq!(read(Framing::None, 0, b"GET /"), expected);
    assert_eq!(read(Framing::Length(0), 0, b"GET /"), expected);
}

#[test]
fn a_body_with_a_length_ends_there() {
    let five = Framing::Length(5);
    assert_eq!(read(five, 5, b"hell"), Ok((b"hell".to_vec(), 4, false)));
    assert_eq!(read(five, 5, b"hello"), Ok((b"hello".to_vec(), 5, true)));
    assert_eq!(
        read(five, 5, b"hello, next"),
        Ok((b"hello".to_vec(), 5, true))
    );
}

#[test]
fn a_length_over_the_limit_is_refused_before_a_byte_of_it_has_come() {
    for (length, max) in [(6, 5), (1, 0), (u64::MAX, usize::MAX - 1)] {
        let mut reader = BodyReader::new(Framing::Length(length), max);
        assert_eq!(
            reader.push(&[], &mut Vec::new()),
            Err(BodyTooLarge),
            "{length}"
        );
    }
}

#[test]
fn nothing_is_reserved_for_what_is_only_announced() {
    let mut body = Vec::new();
    let huge = u64::MAX >> 8;
    let mut reader = BodyReader::new(Framing::Length(huge), usize::MAX);
    reader.push(b"a", &mut body).unwrap();
    let mut reader = BodyReader::new(Framing::Chunked, usize::MAX);
    reader.push(b"ffffffffffffff\r\na", &mut body).unwrap();
    assert!(body.capacity() < 64);
}

#[test]
fn good_chunks_are_joined() {
    let long = "1;a=\"\r\n".replace("\r\n", "b c\"\tc=d;;\r\n");
    let extended = format!("{long}x\r\n0;z\r\n\r\n");
    let cases = [
        ("0\r\n\r\n", "", true),
        ("000\r\n\r\n", "", true),
        ("5\r\nhello\r\n0\r\n\r\n", "hello", true),
        (
            "5\r\nhello\r\n00000000000000b\r\n, there it \r\n0\r\n\r\n",
            "hello, there it ",
            true,
        ),
        (
            "a\r\n0123456789\r\n1\r\n\r\r\n1\r\n\n\r\n0\r\n\r\n",
            "0123456789\r\n",
            true,
        ),
        (&extended, "x", true),
        ("0\r\nA: b\r\nContent-Length: 9\r\n\r\n", "", true),
        ("5\r\nhel", "hel", false),
        ("5", "", false),
        ("0\r\nA: b\r\n", "", false),
    ];
    for (input, expected, done) in cases {
        let outcome = Ok((expected.as_bytes().to_vec(), input.len(), done));
        assert_eq!(chunks(input), outcome, "{input:?}");
    }
    let glued = "1\r\na\r\n0\r\n\r\nGET / HTTP/1.1\r\n";
    assert_eq!(chunks(glued), Ok((b"a".to_vec(), 11, true)));
}

#[test]
fn bad_chunks_are_refused() {
    let cases = [
        ("\r\n", ChunkSize),
        (";a\r\n", ChunkSize),
        (" 5\r\n", ChunkSize),
        ("5 \r\n", ChunkSize),
        ("5\t;a\r\n", ChunkSize),
        ("+5\r\n", ChunkSize),
        ("-5\r\n", ChunkSize),
        ("0x5\r\n", ChunkSize),
        ("5h\r\n", ChunkSize),
        ("5_0\r\n", ChunkSize),
        ("\u{665}\r\n", ChunkSize),
        ("5\n", ChunkSize),
        ("00000000000000000", ChunkSize),
        ("10000000000000000", ChunkSize),
        ("5\rh", BareCr),
        ("5;a\n", BareLf),
        ("5;a\rb", BareCr),
        ("5;a\0", ChunkExtension),
        ("5;\u{7F}", ChunkExtension),
        ("5\r\nhello0\r\n", ChunkEnd),
        ("5\r\nhello\n", ChunkEnd),
        ("5\r\nhello\r0", ChunkEnd),
        ("4\r\nhello\r\n", ChunkEnd),
        ("6\r\nhello\r\n0\r\n", ChunkEnd),
        ("0\r\n a: b\r\n", FoldedLine),
        ("0\r\na : b\r\n", SpaceBeforeColon),
        ("0\r\na: b\n", BareLf),
        ("0\r\n: b\r\n", FieldName),
        ("0\r\na: \0", FieldValue),
        ("0\r\n\rx", BareCr),
        ("0\r\n\n", BareLf),
    ];
    for (input, expected) in cases {
        assert_eq!(chunks(input), Err(expected), "{input:?}");
    }
}

#[test]
fn chunks_over_the_limit_are_refused_at_the_size_that_goes_over_it() {
    let full = format!("40\r\n{}\r\n", "x".repeat(64));
    assert!(
        chunks(&format!("{full}0\r\n\r\n")).is_ok_and(|(body, _, done)| body.len() == 64 && done)
    );
    assert_eq!(chunks(&format!("{full}1\r\n")), Err(BodyTooLarge));
    assert_eq!(chunks("41\r\n"), Err(BodyTooLarge));
    assert_eq!(chunks("ffffffffffffffff\r\n"), Err(BodyTooLarge));
    let wrap = b"1\r\na\r\nffffffffffffffff\r\n";
    assert_eq!(
        read(Framing::Chunked, usize::MAX - 1, wrap),
        Err(BodyTooLarge)
    );
}

#[test]
#[cfg_attr(miri, ignore = "slow")]
fn extensions_are_bounded_by_chunk_and_by_body() {
    let extended = |length: usize| format!("1;{}\r\na\r\n", "x".repeat(length - 1));
    assert!(chunks(&extended(256)).is_ok());
    assert_eq!(chunks(&extended(257)), Err(ChunkExtension));
    assert!(chunks(&extended(256).repeat(64)).is_ok());
    let small = extended(256).repeat(64) + &extended(1);
    assert_eq!(
        read_pieces(Framing::Chunked, 99, small.as_bytes().chunks(1)),
        Err(ChunkExtension)
    );
    assert_eq!(
        read_pieces(Framing::Chunked, 99, small.as_bytes().chunks(9999)),
        Err(ChunkExtension)
    );
}

#[test]
#[cfg_attr(miri, ignore = "slow")]
fn trailers_are_bounded() {
    let bytes = |length: usize| format!("0\r\na: {}\r\n\r\n", "x".repeat(length - 7));
    assert!(chunks(&bytes(4096)).is_ok_and(|(_, _, done)| done));
    assert_eq!(chunks(&bytes(4097)), Err(HeadTooLarge));
    let lines = |count| format!("0\r\n{}\r\n", "a: b\r\n".repeat(count));
    assert!(chunks(&lines(32)).is_ok_and(|(_, _, done)| done));
    assert_eq!(chunks(&lines(33)), Err(TooManyFields));
}
