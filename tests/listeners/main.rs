//! Code of the application that misbehaves: that panics where `tests/panics.rs` does not look, that
//! blocks, or that lets go of everything in an order of its own.
#[path = "../common/mod.rs"]
mod common;

mod bombs;
mod drops;
mod grenades;
mod panics;
mod slow;

use std::sync::Arc;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

/// Panics the first time, and not again. Clones are one and the same.
#[derive(Clone, Default)]
struct Fuse(Arc<AtomicBool>);

impl Fuse {
    fn burn(&self) {
        if !self.0.swap(true, SeqCst) {
            panic!("thrown on purpose");
        }
    }
}

/// Panics on purpose are many; only others are worth reading.
fn hush() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let loud = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let text = info.payload().downcast_ref::<&str>().copied();
            if !text.is_some_and(|text| text.contains("on purpose")) {
                loud(info);
            }
        }));
    });
}
