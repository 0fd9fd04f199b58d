//! The other process: a server with the library's defaults, which does what its clients ask for.
//!
//! | message | what comes of it |
//! | --- | --- |
//! | binary, or `e…` | an echo |
//! | `r…` | to everyone in the room |
//! | `m<room>` | the socket moves there, and hears the message back |
//! | `c` | the server closes |
//! | `g` | numbered messages until half of `max_backpressure` waits; when all is read, how many they were |
//! | `f` | messages until the socket is closed because too much waits |

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;
use std::time::{Duration, Instant};

use rushwire::{App, Hub, Message, Options, SendStatus, Socket, event};

/// How often the loop is looked at.
const BEAT: Duration = Duration::from_millis(20);
/// More messages are not sent to one that sleeps; the system's buffers are smaller.
const MOST: usize = 4096;
/// So many dots are behind the number of each.
pub(crate) const PADDING: usize = 16 * 1024;
/// So many messages are tried on one that is stuck, each of so many times the letter x.
const FLOOD: usize = 128;
pub(crate) const LARGE: usize = 1024 * 1024;

pub(crate) fn run(places: usize) -> io::Result<()> {
    let mut app = App::with(Options {
        max_connections: places,
        ..Options::default()
    });
    app.ws("/soak/:room", |socket, request| {
        socket.join(request.param("room"));
        socket.on(event::Message, hear);
    });
    let reports = Rc::new(Cell::new(0_u64));
    let reported = Rc::clone(&reports);
    let lag = watch_lag(app.hub());
    app.get("/stats", move |ctx| {
        let (stats, lag) = (ctx.hub().stats().to_json(), lag.take().as_millis());
        let reports = reported.get();
        ctx.json(format!(
            r#"{{"reports":{reports},"lag":{lag},"stats":{stats}}}"#
        ));
    });
    app.on_error(move |report| {
        reports.set(reports.get() + 1);
        eprintln!("the server reports: {report}");
    });
    end_with_the_input(app.remote());
    app.listen("127.0.0.1:0", |address| println!("{address}"))
}

/// How late the loop was at worst, since somebody last took it from there.
fn watch_lag(hub: &Hub) -> Rc<Cell<Duration>> {
    let worst = Rc::new(Cell::new(Duration::ZERO));
    let (noted, mut last) = (Rc::clone(&worst), Instant::now());
    hub.set_interval(BEAT, move |_| {
        let now = Instant::now();
        let late = (now - std::mem::replace(&mut last, now)).saturating_sub(BEAT);
        noted.set(noted.get().max(late));
    });
    worst
}

/// Whoever started this process has gone when its input ends.
fn end_with_the_input(remote: rushwire::Remote) {
    std::thread::spawn(move || {
        let _ = io::stdin().read_to_end(&mut Vec::new());
        let _ = remote.shutdown(Duration::from_secs(1));
    });
}

fn hear(socket: &Socket, message: Message<'_>) {
    let text = message.as_text().unwrap_or("e");
    match text.split_at_checked(1) {
        Some(("r", _)) => {
            let room = socket.room().unwrap_or_default();
            socket.broadcast_all(&room, message);
        }
        Some(("m", room)) => {
            socket
                .rooms()
                .iter()
                .for_each(|room| _ = socket.leave(room));
            socket.join(room);
            socket.send(message);
        }
        Some(("c", _)) => socket.close(),
        Some(("g", _)) => fill(socket),
        Some(("f", _)) => flood(socket),
        _ => _ = socket.send(message),
    }
}

/// Goes slow when it is told to, and has its say when all is read.
fn fill(socket: &Socket) {
    let padding = ".".repeat(PADDING);
    let (mut number, mut status) = (0, SendStatus::Queued);
    while status == SendStatus::Queued && number < MOST {
        number += 1;
        status = socket.send(&format!("{number:08}{padding}"));
    }
    if status != SendStatus::Backpressure {
        // It reads as fast as it is written to: it is not told to go slow, and hears the end in its turn.
        socket.send(&format!("end {number} 0"));
        return;
    }
    socket.once(event::Drain, move |socket, drained| {
        socket.send(&format!("end {number} {}", drained.undelivered));
    });
}

/// Does not do what it is told.
fn flood(socket: &Socket) {
    let message = "x".repeat(LARGE);
    let sent = (0..FLOOD).take_while(|_| socket.send(&message) != SendStatus::Closed);
    // A panic is reported, and the clients hear of reports.
    assert!(sent.count() < FLOOD, "a flood was taken whole");
}
