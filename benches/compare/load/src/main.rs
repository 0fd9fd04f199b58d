//! The load generator of the comparison: one run of one cell against one server.
//!
//! It is single-threaded, spins on epoll, sends prebuilt masked frames and counts answers by their
//! headers, so that it costs far less for each message than any server. It checks every answer's kind
//! and length, and once for each connection its content. The comparison starts it; by hand:
//!
//! ```text
//! load echo --address 127.0.0.1:9101 --connections 100 --depth 1 --size 20 --kind binary --seconds 2
//! ```
//!
//! It prints one line of `key=value` pairs, or says what was wrong and exits with 1.

mod arguments;
mod batch;
mod counter;
mod echo;
mod fanout;
mod frame;
mod handshake;
mod histogram;
mod idle;
mod link;
mod measure;
mod neighbour;
mod opening;
mod process;
mod reactor;

use std::io;
use std::process::ExitCode;

use arguments::Arguments;
use measure::Line;

/// A command: its name, the arguments that it has beside those of all, and what it does.
type Command = (
    &'static str,
    &'static [&'static str],
    fn(&Arguments) -> io::Result<Line>,
);

const COMMANDS: [Command; 5] = [
    ("echo", &["connections", "depth", "size", "kind"], echo::run),
    (
        "fanout",
        &["members", "senders", "depth", "size"],
        fanout::run,
    ),
    ("handshake", &[], handshake::run),
    ("idle", &["connections"], idle::run),
    ("neighbour", &[], neighbour::run),
];

/// `--raw` stands alone: the answers come back masked, as the raw server sends them.
const OF_ALL: [&str; 5] = ["address", "seconds", "warmup", "pid", "raw"];

/// Descriptors that are wanted beside those of the connections.
const SPARE: usize = 64;

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mut words: impl Iterator<Item = String>) -> io::Result<Line> {
    let name = words.next().unwrap_or_default();
    let Some((_, own, command)) = COMMANDS.iter().find(|command| command.0 == name) else {
        return Err(io::Error::other(usage()));
    };
    let known: Vec<&str> = OF_ALL.iter().chain(*own).copied().collect();
    let arguments = Arguments::parse(words, &known)?;
    for count in ["connections", "members"] {
        if known.contains(&count) {
            allow(arguments.count(count)? + SPARE)?;
        }
    }
    command(&arguments)
}

fn usage() -> String {
    let mut usage =
        "usage: load COMMAND --address A --seconds X [--warmup X] [--pid P] [--raw] ...".to_owned();
    for (name, own, _) in COMMANDS {
        let own: String = own.iter().map(|name| format!(" --{name} X")).collect();
        usage += &format!("\n  {name}{own}");
    }
    usage
}

/// Raises the limit of open descriptors, where it is lower, as far as it goes.
fn allow(descriptors: usize) -> io::Result<()> {
    let allowed = rlimit::increase_nofile_limit(descriptors as u64)?;
    if allowed >= descriptors as u64 {
        return Ok(());
    }
    Err(io::Error::other(format!(
        "{descriptors} open descriptors are wanted, {allowed} are allowed: raise `ulimit -Hn`"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_command_line_is_answered_with_the_usage() {
        let run = |line: &str| run(line.split_whitespace().map(str::to_owned));
        let error = |line| {
            run(line)
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default()
        };
        assert!(error("").starts_with("usage: load"));
        assert!(error("shout").contains("\n  fanout --members X"));
        assert!(error("handshake --depth 2").contains("no --depth"));
        assert!(error("echo --connections 99999999").contains("descriptors"));
    }
}
