//! The network in memory without the feature `testing`: there is none, and the time is the system's.

use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use super::poller::{Edge, Poller};
use super::stream::{Peer, Stream};

/// A network in memory: there is none.
#[derive(Debug)]
pub(crate) enum Network {}

impl Network {
    pub(super) fn dial(&self, _address: SocketAddr) -> io::Result<Stream> {
        match *self {}
    }

    pub(super) fn take_edges(&self) -> Vec<Edge> {
        match *self {}
    }
}

/// What is listened at there: nothing.
#[derive(Debug)]
pub(crate) enum Door {}

impl Door {
    pub(super) fn poller(&self) -> Poller {
        match *self {}
    }

    pub(super) fn accept(&self) -> io::Result<(Stream, Peer)> {
        match *self {}
    }

    pub(super) fn register(&self, _token: usize) {
        match *self {}
    }
}

/// One end of a connection there: there is none.
#[derive(Debug)]
pub(crate) enum End {}

impl End {
    pub(super) fn read(&self, _into: &mut [u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn write(&self, _bytes: &[u8]) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn write_vectored(&self, _slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match *self {}
    }

    pub(super) fn finish(&self) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn register(&self, _token: usize) -> io::Result<()> {
        match *self {}
    }
}

/// What time it is.
#[derive(Debug, Default)]
pub(crate) struct Time(());

impl Time {
    #[inline(always)]
    pub(crate) fn now(&self) -> Instant {
        Instant::now()
    }

    /// Seconds since 1970-01-01 00:00:00 UTC.
    pub(crate) fn unix(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_secs())
    }
}
