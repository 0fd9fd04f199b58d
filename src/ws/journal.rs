//! One line for each event in the life of a server, for `Options::debug` and the feature `log`. Whoever
//! brings such an event about notes it here; if nobody reads, nothing is formatted.
//!
//! What a peer has a hand in is quoted, escaped and cut, so that no line can pass for two, none is
//! without end, and no terminal takes orders from it. Queries of URLs are left out: they carry secrets.

use std::fmt::{self, Write as _};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::time::Duration;

use super::event::{By, Cause, Closed};
use super::facade;
use super::hub::Hub;
use super::socket::Socket;
use super::status::SocketId;
use super::watchdog::Call;
use crate::http::Refusal;

/// How much an event matters: as the levels of the crate `log`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

/// An event in the life of a server.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Entry<'a> {
    /// Connections are accepted, at that address if it is one of TCP.
    Listening(Option<SocketAddr>),
    /// A connection came.
    Accepted(Option<SocketAddr>),
    /// A request was answered with 400 or more.
    Refused {
        peer: Option<SocketAddr>,
        path: Option<&'a str>,
        status: u16,
        cause: Refusal,
    },
    /// A socket was not let in, and is closed.
    TurnedAway {
        socket: &'a Socket,
        cause: Refusal,
    },
    /// All middleware has let a socket pass.
    Opened(&'a Socket),
    Joined {
        socket: SocketId,
        room: &'a str,
    },
    Left {
        socket: SocketId,
        room: &'a str,
    },
    Closed {
        socket: SocketId,
        closed: Closed<'a>,
    },
    /// What `App::on_error` is told.
    Error {
        socket: Option<SocketId>,
        message: &'a str,
    },
    /// A shutdown was asked for, with so much grace.
    Shutdown(Duration),
    /// Code of the application holds the thread, or has held it, for too long.
    Slow {
        call: Call<'a>,
        ran: Duration,
        is_over: bool,
        /// So many others were not told of.
        untold: u64,
    },
}

impl Entry<'_> {
    fn level(&self) -> Level {
        match self {
            Self::Error { .. } => Level::Error,
            Self::Closed { closed, .. } if is_offence(closed.cause) => Level::Warn,
            Self::Slow { .. } => Level::Warn,
            Self::Refused { .. } | Self::TurnedAway { .. } => Level::Info,
            Self::Joined { .. } | Self::Left { .. } => Level::Trace,
            Self::Listening(_)
            | Self::Accepted(_)
            | Self::Opened(_)
            | Self::Closed { .. }
            | Self::Shutdown(_) => Level::Debug,
        }
    }
}

/// Whether the peer did what it must not.
fn is_offence(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::Violation(_) | Cause::RateLimit | Cause::SlowConsumer
    )
}

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Listening(address) => write!(f, "listening at={}", Peer(address)),
            Self::Accepted(peer) => write!(f, "accepted peer={}", Peer(peer)),
            Self::Refused {
                peer,
                path,
                status,
                cause,
            } => {
                write!(
                    f,
                    "refused peer={} status={status} cause={cause}",
                    Peer(peer)
                )?;
                path.map_or(Ok(()), |path| write!(f, " path={}", Quoted(path)))
            }
            Self::TurnedAway { socket, cause } => {
                let (id, peer) = (socket.id(), Peer(socket.remote_addr()));
                write!(
                    f,
                    "refused socket={id} peer={peer} status=101 cause={cause} "
                )?;
                write!(f, "path={}", Quoted(socket.path()))
            }
            Self::Opened(socket) => {
                let (id, peer) = (socket.id(), Peer(socket.remote_addr()));
                let path = Quoted(socket.path());
                write!(f, "opened socket={id} peer={peer} path={path}")
            }
            Self::Joined { socket, room } => {
                write!(f, "joined socket={socket} room={}", Quoted(room))
            }
            Self::Left { socket, room } => write!(f, "left socket={socket} room={}", Quoted(room)),
            Self::Closed { socket, closed } => write_closed(f, socket, closed),
            Self::Error { socket, message } => {
                f.write_str("error")?;
                socket.map_or(Ok(()), |socket| write!(f, " socket={socket}"))?;
                write!(f, " message={}", Quoted(message))
            }
            Self::Shutdown(grace) => write!(f, "shutdown grace={grace:?}"),
            Self::Slow {
                call,
                ran,
                is_over,
                untold,
            } => {
                write_call(f, call)?;
                let how = if is_over { "took" } else { "so_far" };
                write!(f, " {how}={}ms", ran.as_millis())?;
                match untold {
                    0 => Ok(()),
                    untold => write!(f, " untold={untold}"),
                }
            }
        }
    }
}

fn write_call(f: &mut fmt::Formatter<'_>, call: Call<'_>) -> fmt::Result {
    write!(f, "slow what={}", Quoted(call.what))?;
    call.socket
        .map_or(Ok(()), |socket| write!(f, " socket={socket}"))?;
    match call.path {
        "" => Ok(()),
        path => write!(f, " path={}", Quoted(path)),
    }
}

fn write_closed(f: &mut fmt::Formatter<'_>, socket: SocketId, closed: Closed<'_>) -> fmt::Result {
    let by = match closed.by {
        By::Peer => "peer",
        By::Us => "us",
        By::Nobody => "nobody",
    };
    write!(
        f,
        "closed socket={socket} code={} by={by} cause={:?} undelivered={} reason={}",
        closed.code,
        closed.cause,
        closed.undelivered,
        Quoted(closed.reason)
    )
}

/// An address; one that is not of TCP has no name.
struct Peer(Option<SocketAddr>);

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(address) => address.fmt(f),
            None => f.write_str("unix"),
        }
    }
}

/// Text that anybody may have made: in quotes, escaped, and cut to [`LONGEST`].
struct Quoted<'a>(&'a str);

/// How many characters of a text are written.
const LONGEST: usize = 200;

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        let mut chars = self.0.chars();
        for char in chars.by_ref().take(LONGEST) {
            match char {
                '\'' => f.write_char('\'')?,
                // Whatever does not print, by Unicode: controls, separators, marks of direction.
                other => write!(f, "{}", other.escape_debug())?,
            }
        }
        let is_cut = chars.next().is_some();
        f.write_str(if is_cut { "\"…" } else { "\"" })
    }
}

impl Hub {
    /// Whether entries of that level are read by anybody.
    #[inline]
    pub(crate) fn is_noted(&self, level: Level) -> bool {
        self.settings().debug || facade::is_on(level)
    }

    /// Writes an entry, if anybody reads it. No borrow may be held: with the feature `log`, code of the
    /// application runs.
    #[inline]
    pub(crate) fn note(&self, entry: Entry<'_>) {
        if self.is_noted(entry.level()) {
            write(&entry, self.settings().debug);
        }
    }
}

/// Writes an entry that somebody must read: to stderr, unless the feature `log` takes it.
pub(super) fn write_always(entry: &Entry<'_>, debug: bool) {
    write(entry, debug || !facade::is_on(entry.level()));
}

#[cold]
fn write(entry: &Entry<'_>, debug: bool) {
    if debug {
        let line = format!("rushwire: {entry}\n");
        // Whoever closes stderr, or fills its disk, does not want to be told.
        let _ = io::stderr().lock().write_all(line.as_bytes());
    }
    facade::write(entry.level(), entry);
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Quoted};

    #[test]
    fn what_is_quoted_is_one_line_that_commands_nothing_and_has_an_end() {
        let cases = [
            ("plain 'text' ä 日", "\"plain 'text' ä 日\""),
            ("a\"b\\c", r#""a\"b\\c""#),
            ("a\nb\rc\td\0", r#""a\nb\rc\td\0""#),
            ("\u{1b}[31m\u{7f}\u{9b}2J", r#""\u{1b}[31m\u{7f}\u{9b}2J""#),
            ("\u{85}\u{2028}\u{2029}", r#""\u{85}\u{2028}\u{2029}""#),
            (
                "\u{202e}\u{2066}\u{200b}\u{feff}",
                r#""\u{202e}\u{2066}\u{200b}\u{feff}""#,
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(Quoted(text).to_string(), expected);
        }
        let longest = "\u{10fffd}".repeat(LONGEST);
        assert!(Quoted(&longest).to_string().ends_with("}\""));
        let longer = Quoted(&format!("{longest}!")).to_string();
        assert!(
            longer.ends_with("}\"…") && longer.len() <= 10 * LONGEST + 5,
            "{longer}"
        );
    }
}
