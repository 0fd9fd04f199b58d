//! A server that is held under load for as long as one wants, and watched: 15,000 connections that come
//! and go, rooms, small and big messages, peers that do not read, and peers that break the rules.
//!
//! ```text
//! cargo run --release --example soak
//! cargo run --release --example soak -- --connections 2000 --minutes 60
//! ```
//!
//! It is two processes, the clients and the server, for each connection takes a descriptor in both. The
//! clients know what must come back, and in which order, and how the server must count it; every ten
//! seconds a line tells how it is. The last lines sum it up: the run fails, and the exit code is 1, when
//! a message is lost, comes twice, late or changed; when connections, rooms, messages or close codes are
//! not what the clients know; when the server reports an error or ends; when more than one of 100 short
//! echoes takes longer than a second (`--p99 1000`, in milliseconds); or when, over five minutes or more, the server's memory grows by 1 MiB a
//! minute in the second half. A line's `lag` is how late the server's loop and the clients' were at worst:
//! where both are late, the machine was. Ctrl-C ends it early, and properly; a second one ends it at once.
//!
//! | who | what |
//! | --- | --- |
//! | members (`member.rs`) | echo from 10 bytes to 1 MiB, whole, fragmented and cut; speak to their room; move to another; leave in four ways |
//! | sleepers (`slow.rs`) | read nothing for some seconds, and then must hear all |
//! | the stuck (`slow.rs`) | read nothing, and must be closed with 1013 |
//! | the rude (`rude.rs`) | rubbish, half heads, half frames, resets, violations: each must get its answer |

mod counts;
mod crowd;
mod frames;
mod gauges;
mod member;
mod peer;
mod process;
mod rooms;
mod rude;
mod server;
mod settings;
mod slow;
mod soak;
mod stop;
mod tally;
mod wire;
mod world;

use std::io::{Error, ErrorKind};
use std::process::ExitCode;

use settings::Settings;

fn main() -> std::io::Result<ExitCode> {
    let settings = Settings::parse(std::env::args().skip(1));
    let settings = settings.map_err(|why| Error::new(ErrorKind::InvalidInput, why))?;
    let stop = stop::on_signals(!settings.is_server)?;
    if settings.is_server {
        // Its clients tell it when to end.
        server::run(settings.connections)?;
        return Ok(ExitCode::SUCCESS);
    }
    process::ensure_descriptors(&settings)?;
    let passed = soak::Soak::new(settings, stop)?.run()?;
    Ok(ExitCode::from(u8::from(!passed)))
}
