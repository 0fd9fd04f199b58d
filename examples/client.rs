//! A talker for the command line: what it reads from standard input it sends, line by line, and what it
//! hears it prints.
//!
//! ```text
//! cargo run --release --example client -- ws://127.0.0.1:9001/echo
//! cargo run --release --example client -- ws://127.0.0.1:3000/chat/hall?token=… --reconnect
//! ```
//!
//! Words behind the URL: `--header NAME:VALUE`, `--protocol NAME` (each as often as you like),
//! `--reconnect` to come back when the connection is lost, and `--linger SECONDS` for how long it listens
//! on after the last line (1). On SIGTERM and Ctrl-C it says goodbye, and at the second one it just goes. It
//! ends with status 0 after a regular end, else with 1.

use std::cell::Cell;
use std::io::{BufRead, Write};
use std::rc::Rc;
use std::sync::mpsc::{Receiver, TryRecvError, sync_channel};
use std::time::Duration;

use rushwire::{
    Client, CloseCode, ConnectOptions, Connection, Message, Reconnect, Remote, RemoteConnection,
    SendStatus, Socket, event,
};

type Error = Box<dyn std::error::Error>;

/// So many lines are read ahead of what is sent.
const LINES: usize = 64;
/// No more lines are sent while the server has not read so many bytes.
const AHEAD: usize = 64 * 1024;

/// What the command line says.
struct Wish {
    url: String,
    options: ConnectOptions,
    linger: Duration,
}

fn main() -> Result<(), Error> {
    let wish = Wish::parse(std::env::args().skip(1))?;
    let mut client = Client::new()?;
    let good = Rc::new(Cell::new(false));
    let ended_well = Rc::clone(&good);
    let connection = client.connect(&wish.url, wish.options, move |socket, _answer| {
        eprintln!("connected{}", protocol(socket));
        listen(socket, &ended_well);
    })?;
    connection.on_error(|failed| match failed.retry_in {
        Some(wait) => eprintln!("{}; again in {wait:.1?}", failed.error),
        None => eprintln!("{}", failed.error),
    });
    leave_on_signals(client.remote(), connection.remote())?;
    let mut typed = Typed::new(client.remote(), wish.linger);
    while !client.is_done() {
        client.turn(None)?;
        typed.send(&client, &connection);
    }
    match good.get() {
        true => Ok(()),
        false => std::process::exit(1),
    }
}

/// Closes the connection on SIGTERM and Ctrl-C: at the first signal politely, at the second at once.
#[cfg(unix)]
fn leave_on_signals(client: Remote, connection: RemoteConnection) -> std::io::Result<()> {
    use signal_hook::consts::{SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    std::thread::spawn(move || {
        let mut signals = signals.forever();
        if signals.next().is_some() && connection.close().is_ok() && signals.next().is_some() {
            // A client that is gone has nothing to leave.
            let _ = client.shutdown(Duration::ZERO);
        }
    });
    Ok(())
}

#[cfg(not(unix))]
fn leave_on_signals(_client: Remote, _connection: RemoteConnection) -> std::io::Result<()> {
    Ok(())
}

impl Wish {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, Error> {
        let url = words.next().ok_or("say where to: ws://host:port/path")?;
        let mut options = ConnectOptions::default();
        let mut linger = Duration::from_secs(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value"));
            match word.as_str() {
                "--header" => {
                    let line = value()?;
                    let (name, value) = line.split_once(':').ok_or("a header is NAME:VALUE")?;
                    options
                        .headers
                        .push((name.to_owned(), value.trim().to_owned()));
                }
                "--protocol" => options.subprotocols.push(value()?),
                "--reconnect" => options.reconnect = Some(Reconnect::default()),
                "--linger" => linger = Duration::try_from_secs_f64(value()?.parse()?)?,
                _ => return Err(format!("{word:?} is not understood").into()),
            }
        }
        Ok(Self {
            url,
            options,
            linger,
        })
    }
}

fn protocol(socket: &Socket) -> String {
    let protocol = socket.protocol();
    protocol.map_or_else(String::new, |name| format!(", speaking {name}"))
}

/// Prints what comes, and remembers whether it ended as it should.
fn listen(socket: &Socket, ended_well: &Rc<Cell<bool>>) {
    socket.on(event::Message, |socket, message| {
        if print(message).is_err() {
            // Nobody listens any more.
            socket.close();
        }
    });
    let ended_well = Rc::clone(ended_well);
    socket.on(event::Close, move |_, close| {
        eprintln!("closed: {} {}", close.code, close.reason);
        ended_well.set(close.code == CloseCode::NORMAL);
    });
}

fn print(message: Message<'_>) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    match message {
        Message::Text(text) => writeln!(out, "{text}"),
        Message::Binary(bytes) => writeln!(out, "{}", bytes.escape_ascii()),
    }
}

/// Lines from standard input, on their way to the server.
struct Typed {
    lines: Receiver<String>,
    /// The line that was not accepted yet.
    next: Option<String>,
    linger: Duration,
    is_over: bool,
}

impl Typed {
    /// Reads on a thread of its own, which wakes the client for each line.
    fn new(client: Remote, linger: Duration) -> Self {
        let (sender, lines) = sync_channel(LINES);
        std::thread::spawn(move || {
            for line in std::io::stdin().lock().lines().map_while(Result::ok) {
                let wake = |_: &_| {};
                if sender.send(line).is_err() || client.post(wake).is_err() {
                    return;
                }
            }
            drop(sender);
            // A client that is gone needs no waking.
            let _ = client.post(|_| {});
        });
        Self {
            lines,
            next: None,
            linger,
            is_over: false,
        }
    }

    /// Sends what was read, as long as the server reads it, too; closes some time after the last line.
    fn send(&mut self, client: &Client, connection: &Connection) {
        while !self.is_over && !is_behind(connection) {
            let waiting = self.next.take();
            match waiting.map_or_else(|| self.lines.try_recv(), Ok) {
                Ok(line) => {
                    if connection.send(&line) == SendStatus::Dropped {
                        self.next = Some(line);
                        return;
                    }
                }
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => {
                    self.is_over = true;
                    close_after(self.linger, client, connection);
                }
            }
        }
    }
}

/// Whether the server has yet to read much of what was sent.
fn is_behind(connection: &Connection) -> bool {
    let behind = |socket: Socket| socket.buffered_amount() > AHEAD;
    connection.socket().is_some_and(behind)
}

/// Closes some time after all is sent.
fn close_after(linger: Duration, client: &Client, connection: &Connection) {
    let connection = connection.clone();
    client.hub().set_timeout(linger, move |_| {
        let unsent = connection.close();
        if unsent > 0 {
            eprintln!("{unsent} lines were not sent");
        }
    });
}
