//! Whether bytes are UTF-8 (RFC 3629), by the standard library; with the feature `simdutf8` by that
//! crate, which gives the same answer several times faster where the text is not ASCII.
//!
//! Whoever must know where the bytes go wrong asks the standard library itself.

#[cfg(feature = "simdutf8")]
use simdutf8::basic::from_utf8;
#[cfg(not(feature = "simdutf8"))]
use std::str::from_utf8;

use super::violation::Violation;

/// The text that `bytes` are.
///
/// # Errors
///
/// [`Violation::NotUtf8`] if they are none.
#[inline]
pub(super) fn text(bytes: &[u8]) -> Result<&str, Violation> {
    from_utf8(bytes).map_err(|_| Violation::NotUtf8)
}
