//! What a reactor is ignorant of: what its connections speak, and whom it works for.

use std::io;
use std::time::Instant;

use super::clock::Tick;
use super::link::Cause;
use super::slab::Key;
use super::stream::{Peer, Stream};

/// What a connection speaks: the reading half. It never sees a socket.
pub(crate) trait Protocol: Sized {
    /// Takes all of `input`, or becomes another protocol and leaves it the rest.
    ///
    /// It is also called, with no input, when reading was paused and is resumed.
    fn receive(&mut self, input: &mut [u8], now: Tick) -> Next<Self>;

    /// Where the next bytes are wanted, if not in the reactor's input: they belong there, and need
    /// not be copied. [`filled`](Self::filled) follows.
    fn window(&mut self) -> Option<&mut [u8]>;

    /// The first `n` bytes of the [`window`](Self::window) have come.
    fn filled(&mut self, n: usize, now: Tick);

    /// The peer has finished sending (FIN).
    fn finished(&mut self);

    /// A moment that was asked for has come; gives the next one.
    fn timeout(&mut self, now: Tick) -> Option<Tick>;

    /// All that the kernel had refused is written. `undelivered` messages were dropped meanwhile.
    fn drained(&mut self, undelivered: usize);

    /// Memory that it keeps for what has come in part, in bytes.
    fn held(&self) -> usize;

    /// Too much waits for the peer: it is closed.
    fn overflowed(&mut self);

    /// The server shuts down: what is under way is finished, and nothing new is begun.
    fn shutdown(&mut self);

    /// The connection is over. The last call.
    fn closed(&mut self, cause: Cause, undelivered: usize);
}

/// What a protocol does next.
pub(crate) enum Next<P> {
    Stay,
    /// Another protocol takes over, and the input after the first `used` bytes.
    Become {
        protocol: P,
        used: usize,
    },
}

/// A connection that this side makes: the stream, which need not be connected yet, and what begins to
/// speak on it, or is told why there is no place for it.
pub(crate) struct Outgoing<P> {
    pub(crate) stream: Stream,
    pub(crate) begin: Box<dyn FnOnce(io::Result<Key>) -> Option<P>>,
}

/// What a reactor works for.
pub(crate) trait Service {
    /// What other threads can ask for.
    type Job;

    /// All that its connections may speak.
    type Protocol: Protocol;

    /// A connection was accepted.
    fn accepted(&mut self, key: Key, peer: Peer) -> Self::Protocol;

    /// The next connection that is to be made.
    fn outgoing(&mut self) -> Option<Outgoing<Self::Protocol>>;

    /// Another thread asks for something.
    fn job(&mut self, job: Self::Job);

    /// Runs the timers that are due.
    fn timers(&mut self, now: Instant);

    /// Tells what was staged because no listener could run.
    fn tell_staged(&mut self);

    /// Whether anything is staged.
    fn has_staged(&self) -> bool;

    /// When the next timer is due.
    fn next_timer(&mut self) -> Option<Instant>;

    /// Accepting failed, with something else than "nothing to accept".
    fn accept_failed(&mut self, error: io::Error);

    /// Drops what a connection spoke, and with it whatever the application kept there.
    fn bury(&mut self, protocol: Self::Protocol);
}
