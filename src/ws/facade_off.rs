//! Log lines without the feature `log`: nobody reads them.

use std::fmt::Display;

use super::journal::Level;

#[inline(always)]
pub(super) fn is_on(_: Level) -> bool {
    false
}

#[inline(always)]
pub(super) fn write(_: Level, _: &dyn Display) {}
