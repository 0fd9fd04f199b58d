//! Bytes that are not UTF-8, every kind of them (RFC 6455 §8.1, RFC 3629 §4).

/// No UTF-8, whatever follows (RFC 3629 §4).
pub(crate) const NOT_TEXT: [(&str, &[u8]); 26] = [
    ("a continuation byte alone", &[0x80]),
    ("the last continuation byte alone", &[0xBF]),
    ("two continuation bytes", &[0x80, 0xBF]),
    ("an overlong slash in 2 bytes", &[0xC0, 0xAF]),
    ("an overlong NUL in 2 bytes", &[0xC0, 0x80]),
    ("an overlong DEL in 2 bytes", &[0xC1, 0xBF]),
    ("an overlong NUL in 3 bytes", &[0xE0, 0x80, 0x80]),
    ("an overlong U+07FF in 3 bytes", &[0xE0, 0x9F, 0xBF]),
    ("an overlong NUL in 4 bytes", &[0xF0, 0x80, 0x80, 0x80]),
    ("an overlong U+FFFF in 4 bytes", &[0xF0, 0x8F, 0xBF, 0xBF]),
    ("the first surrogate", &[0xED, 0xA0, 0x80]),
    ("the last surrogate", &[0xED, 0xBF, 0xBF]),
    (
        "a pair of surrogates",
        &[0xED, 0xA0, 0x80, 0xED, 0xB0, 0x80],
    ),
    ("U+110000", &[0xF4, 0x90, 0x80, 0x80]),
    ("a character above U+10FFFF", &[0xF5, 0x80, 0x80, 0x80]),
    ("a character in 5 bytes", &[0xF8, 0x88, 0x80, 0x80, 0x80]),
    (
        "a character in 6 bytes",
        &[0xFC, 0x84, 0x80, 0x80, 0x80, 0x80],
    ),
    ("the byte FE", &[0xFE]),
    ("the byte FF", &[0xFF]),
    ("2 bytes, the second is ASCII", &[0xC2, 0x41]),
    ("2 bytes, the second begins another", &[0xC2, 0xC2]),
    ("3 bytes, the second is ASCII", &[0xE2, 0x41]),
    ("3 bytes, the third is ASCII", &[0xE2, 0x82, 0x41]),
    ("4 bytes, the third is ASCII", &[0xF0, 0x9F, 0x41]),
    (
        "4 bytes, the fourth begins another",
        &[0xF0, 0x9F, 0x98, 0xF0],
    ),
    ("text in UTF-16", &[0xFF, 0xFE, 0x68, 0x00]),
];

/// The beginning of a character.
pub(crate) const CUT: [(&str, &[u8]); 5] = [
    ("1 of 2 bytes", &[0xC2]),
    ("1 of 3 bytes", &[0xE2]),
    ("2 of 3 bytes", &[0xE2, 0x82]),
    ("1 of 4 bytes", &[0xF0]),
    ("3 of 4 bytes", &[0xF0, 0x9F, 0x98]),
];
