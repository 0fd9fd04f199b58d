//! What people read when something is refused: one line, whatever was sent.

/// `text` is one line of at most `most` bytes, and no control character of a peer is in it.
pub(super) fn check_line(text: &str, most: usize) {
    assert!((1..=most).contains(&text.len()), "{text:?}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
}
