//! The loop: wait, read and send back, deliver to the room, close what is over.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::TcpListener;
use mio::{Events, Interest, Poll, Token};

use crate::connection::{Connection, Speaks, accepted};
use crate::heart::{Heart, is_pong};
use crate::room::Room;

const LISTENER: Token = Token(usize::MAX);
const ACCEPTS: usize = 64;
const INPUT: usize = 256 * 1024;

/// The answer to the one key that the load generator sends.
const SWITCHING: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
    Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

pub(crate) struct Server {
    poll: Poll,
    listener: TcpListener,
    /// More may wait to be accepted.
    accepting: bool,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    /// Where everything but the room is received.
    input: Vec<u8>,
    /// Buffers of the same size, for the place of one that a full connection keeps.
    spare: Vec<Vec<u8>>,
    room: Room,
    /// Who is to be read again: its last read was no short one.
    eager: Vec<usize>,
    /// Who is to be closed at the end of the turn.
    lost: Vec<usize>,
    heart: Option<Heart>,
}

impl Server {
    pub(crate) fn bind(address: &str, heartbeat: Duration) -> io::Result<Self> {
        let poll = Poll::new()?;
        let mut listener = listen(address)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            accepting: false,
            connections: Vec::new(),
            free: Vec::new(),
            input: vec![0; INPUT],
            spare: Vec::new(),
            room: Room::new(),
            eager: Vec::new(),
            lost: Vec::new(),
            heart: Heart::new(heartbeat, Instant::now()),
        })
    }

    /// Serves until the process is killed.
    pub(crate) fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, self.patience()) {
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
            for event in &events {
                self.ready(event);
            }
            self.turn()?;
        }
    }

    /// How long the kernel may let us sleep.
    fn patience(&self) -> Option<Duration> {
        if self.accepting || !self.eager.is_empty() {
            return Some(Duration::ZERO);
        }
        let heart = self.heart.as_ref()?;
        Some(heart.rest(Instant::now()))
    }

    #[inline]
    fn ready(&mut self, event: &Event) {
        let Token(place) = event.token();
        let Some(Some(connection)) = self.connections.get_mut(place) else {
            self.accepting |= event.token() == LISTENER;
            return;
        };
        if event.is_read_closed() || event.is_error() {
            connection.ended = true;
        }
        if connection.is_full() {
            self.flush(place);
        } else if event.is_readable() {
            self.hear(place);
        }
    }

    /// What is left to do when all events are seen.
    fn turn(&mut self) -> io::Result<()> {
        if self.accepting {
            self.accept()?;
        }
        if !self.eager.is_empty() {
            self.hear_again();
        }
        if self.heart.is_some() {
            self.beat();
        }
        self.deliver();
        while let Some(place) = self.lost.pop() {
            self.close(place);
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        for _ in 0..ACCEPTS {
            match self.listener.accept() {
                Ok((stream, _)) => self.admit(stream)?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.accepting = false;
                    return Ok(());
                }
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Registers it once, and tries a read: the request is mostly there.
    fn admit(&mut self, mut stream: mio::net::TcpStream) -> io::Result<()> {
        let place = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        let both = Interest::READABLE | Interest::WRITABLE;
        self.poll
            .registry()
            .register(&mut stream, Token(place), both)?;
        self.connections[place] = Some(Connection::new(stream));
        self.hear_other(place);
        Ok(())
    }

    /// One read, and what follows from it; not for who is full.
    #[inline(always)]
    fn hear(&mut self, place: usize) {
        let Some(Some(connection)) = self.connections.get_mut(place) else {
            return;
        };
        if connection.speaks != Speaks::Echo {
            return self.hear_other(place);
        }
        let n = match connection.stream.read(&mut self.input) {
            Ok(n) if n > 0 => n,
            other => return self.unheard(place, other),
        };
        if n == self.input.len() || connection.ended {
            self.eager.push(place);
        }
        if self.heart.is_some() && is_pong(&self.input[..n]) {
            return;
        }
        match connection.stream.write(&self.input[..n]) {
            Ok(sent) if sent == n => {}
            other => self.refused(place, n, other),
        }
    }

    #[inline(never)]
    fn hear_other(&mut self, place: usize) {
        match &mut self.connections[place] {
            Some(connection) if connection.speaks == Speaks::Room => self.hear_member(place),
            Some(connection) => match connection.stream.read(&mut self.input) {
                Ok(n) if n > 0 => self.open(place, n),
                other => self.unheard(place, other),
            },
            None => {}
        }
    }

    /// A member's bytes go straight into the room's log.
    fn hear_member(&mut self, place: usize) {
        if self.room.is_full() || self.has_spoken(place) {
            self.deliver();
        }
        let Some(connection) = &mut self.connections[place] else {
            return;
        };
        let free = self.room.free();
        let size = free.len();
        let n = match connection.stream.read(free) {
            Ok(n) if n > 0 => n,
            other => return self.unheard(place, other),
        };
        if n == size || connection.ended {
            self.eager.push(place);
        }
        if self.heart.is_none() || !is_pong(&free[..n]) {
            self.room.said(place, connection, n);
        }
    }

    fn has_spoken(&mut self, place: usize) -> bool {
        self.connections[place]
            .as_mut()
            .is_some_and(|connection| *connection.own() != (0, 0))
    }

    /// Reads those whose last read was no short one.
    #[cold]
    fn hear_again(&mut self) {
        for place in mem::take(&mut self.eager) {
            match &self.connections[place] {
                Some(connection) if !connection.is_full() => self.hear_on(place),
                _ => {}
            }
        }
    }

    /// The same as [`Server::hear`] where there is no hurry: that one is part of the loop.
    #[inline(never)]
    fn hear_on(&mut self, place: usize) {
        self.hear(place);
    }

    /// There was nothing to read, or never will be again.
    #[cold]
    fn unheard(&mut self, place: usize, read: io::Result<usize>) {
        match read {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => self.eager.push(place),
            _ => self.lose(place),
        }
    }

    /// The kernel did not take all of `input[..n]`: the connection keeps the rest.
    #[cold]
    fn refused(&mut self, place: usize, n: usize, sent: io::Result<usize>) {
        let Some(connection) = &mut self.connections[place] else {
            return;
        };
        match accepted(sent) {
            Ok(sent) => connection.keep_back(&mut self.input, sent..n, &mut self.spare),
            Err(_) => self.lose(place),
        }
    }

    /// Answers a request head, which comes whole in one read or not at all.
    fn open(&mut self, place: usize, n: usize) {
        let head = &self.input[..n];
        if !head.ends_with(b"\r\n\r\n") {
            return self.lose(place);
        }
        let is_member = head.starts_with(b"GET /room ");
        if is_member {
            self.deliver();
        }
        let Some(connection) = &mut self.connections[place] else {
            return;
        };
        connection.speaks = match is_member {
            true => Speaks::Room,
            false => Speaks::Echo,
        };
        if is_member {
            self.room.join(place, connection);
        }
        if connection.ended {
            self.eager.push(place);
        }
        if !matches!(connection.stream.write(SWITCHING), Ok(n) if n == SWITCHING.len()) {
            self.lose(place);
        }
    }

    /// Writes what the kernel had refused, and reads on when it is gone.
    #[cold]
    fn flush(&mut self, place: usize) {
        let Some(connection) = &mut self.connections[place] else {
            return;
        };
        match connection.flush(&mut self.spare, INPUT) {
            Err(_) => self.lose(place),
            Ok(()) if connection.is_full() => {}
            Ok(()) => self.hear_on(place),
        }
    }

    fn deliver(&mut self) {
        self.room.deliver(&mut self.connections, &mut self.lost);
    }

    /// Pings who is due.
    fn beat(&mut self) {
        let Some(heart) = &mut self.heart else { return };
        for place in heart.due(self.connections.len(), Instant::now()) {
            if let Some(connection) = &mut self.connections[place]
                && connection.ping().is_err()
            {
                self.lost.push(place);
            }
        }
    }

    /// Has a connection closed at the end of the turn, when nothing refers to its place any more.
    #[cold]
    fn lose(&mut self, place: usize) {
        self.lost.push(place);
    }

    fn close(&mut self, place: usize) {
        let Some(connection) = self.connections[place].take() else {
            return;
        };
        if connection.speaks == Speaks::Room {
            self.room.leave(connection.seat, &mut self.connections);
        }
        self.free.push(place);
    }
}

/// Listens with `TCP_NODELAY`, which every connection inherits: one system call less for each. The
/// option is the same for both kinds of socket, so the detour over a stream is sound.
fn listen(address: &str) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    let stream = TcpStream::from(OwnedFd::from(listener));
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    Ok(TcpListener::from_std(OwnedFd::from(stream).into()))
}
