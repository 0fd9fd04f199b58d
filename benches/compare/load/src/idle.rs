//! Connections that do nothing: what they cost in memory, and in time when the server pings them.

use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::arguments::Arguments;
use crate::batch::{Batch, Kind};
use crate::measure::{Line, Reading};
use crate::process::Process;
use crate::reactor::Reactor;

/// These come first and stay: what is allocated once, whoever comes, is not the others' cost.
const FIRST: usize = 100;
const MESSAGE: usize = 20;

/// A server is quiet when it used less than a twentieth of this.
const WATCH: Duration = Duration::from_millis(250);
const WATCHES: usize = 20;

/// Answers pings for some time.
fn hold(reactor: &mut Reactor, time: Duration) -> io::Result<()> {
    let end = Instant::now() + time;
    while reactor.now < end {
        reactor.turn(|_, _, _| Err(io::Error::other("a message that nobody asked for")))?;
    }
    Ok(())
}

/// Waits until the server has done what there is to do after an opening.
fn settle(reactor: &mut Reactor, process: &Process) -> io::Result<()> {
    for _ in 0..WATCHES {
        let before = process.cpu()?;
        hold(reactor, WATCH)?;
        if process.cpu()? - before < WATCH / 20 {
            break;
        }
    }
    Ok(())
}

fn pings(reactor: &Reactor) -> u64 {
    reactor.links.iter().map(|link| link.pings()).sum()
}

pub(crate) fn run(arguments: &Arguments) -> io::Result<Line> {
    let Some(process) = arguments.process()? else {
        let text = "--pid is missing: whose memory?";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    };
    let connections = arguments.count("connections")?;
    let batch = Rc::new(Batch::new(Kind::Binary, MESSAGE, 1, arguments.is_raw()));
    let mut reactor = Reactor::new()?;
    reactor.patience = Duration::MAX;
    let mut memory = [0; 2];
    for (count, memory) in [FIRST, connections].into_iter().zip(&mut memory) {
        let first = reactor.links.len();
        reactor.open(arguments.address()?, "/echo", count, &batch)?;
        reactor.compare_echoes(first)?;
        settle(&mut reactor, &process)?;
        *memory = process.memory()?;
    }
    let before = pings(&reactor);
    let start = Reading::take(Some(&process))?;
    hold(&mut reactor, arguments.seconds()?)?;
    let used = start.until_now(Some(&process))?;
    Ok(Line::default()
        .with(
            "bytes_per_connection",
            memory[1].saturating_sub(memory[0]) / connections as u64,
        )
        .with_used(used)
        .with("pings", pings(&reactor) - before))
}
