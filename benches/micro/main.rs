//! What the parts of a server cost, one by one, without sockets.
//!
//! ```text
//! cargo bench --features bench --bench micro             all of them, a few seconds
//! cargo bench --features bench --bench micro -- text     those whose path has that in it
//! ```
//!
//! Where the table has `items`, one iteration is that many messages, rooms or timers: usually
//! [`THOUSAND`], so that microseconds of an iteration are nanoseconds of one. Every bench looks once
//! whether the answer is right before it is measured. Times are noisy; what must not grow is counted
//! by `benches/instructions/run`.

mod decoder;
mod dispatch;
mod fan_out;
mod frames;
mod handshake;
mod header;
mod mask;
mod requests;
mod rooms;
mod sample;
mod text;
mod timers;

use divan::Divan;
use divan::counter::BytesFormat;

/// How many of a small thing one iteration is.
const THOUSAND: usize = 1_000;

fn main() {
    Divan::default()
        .bytes_format(BytesFormat::Binary)
        .config_with_args()
        .main();
}
