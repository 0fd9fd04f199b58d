//! Log lines through the crate `log`, for the feature of that name. The journal writes here.

use std::fmt::Display;

use super::guard::guard;
use super::journal::Level;

/// What lines are filtered by.
const TARGET: &str = "rushwire";

fn level(level: Level) -> log::Level {
    match level {
        Level::Error => log::Level::Error,
        Level::Warn => log::Level::Warn,
        Level::Info => log::Level::Info,
        Level::Debug => log::Level::Debug,
        Level::Trace => log::Level::Trace,
    }
}

/// Whether lines of that level may be read. The logger is not asked yet.
#[inline]
pub(super) fn is_on(of: Level) -> bool {
    let of = level(of);
    of <= log::STATIC_MAX_LEVEL && of <= log::max_level()
}

/// Gives a line to the logger, if it wants it. A logger that panics ends nothing.
pub(super) fn write(of: Level, line: &dyn Display) {
    if is_on(of) {
        let _ = guard(|| log::log!(target: TARGET, level(of), "{line}"));
    }
}
