//! A server on a network in memory, whose time stands still: what the testing kit drives.

use std::time::Instant;

use super::app::App;
use super::error::ConfigError;
use super::server::Server;
use crate::net::listener::Listener;
use crate::net::memory::Network;

impl App {
    /// Listens on a network in memory. Time stands still from now on, and timers that were set before
    /// begin anew.
    ///
    /// # Errors
    ///
    /// What is wrong with routes or options.
    pub(crate) fn serve_in_memory(&mut self, network: &Network) -> Result<Server, ConfigError> {
        self.check().map_err(ConfigError::of)?;
        let hub = self.hub();
        hub.links().enter(network);
        hub.timers().begin_anew(hub.links().time.now());
        let started = self.start(Some(Listener::Memory(network.door())));
        started.map_err(ConfigError::of)
    }
}

impl Server {
    /// When there is something to do, if nothing happens before. `None`: never.
    pub(crate) fn due(&mut self) -> Option<Instant> {
        let hub = &self.core.hub;
        let asked = hub.is_shutdown_asked() || hub.mailbox().has_jobs();
        let now = asked.then(|| hub.links().time.now());
        // When everyone has gone, there is nobody left to be cut.
        let deadline = self.deadline.filter(|_| !self.is_done());
        [now, deadline, self.reactor.due()]
            .into_iter()
            .flatten()
            .min()
    }
}
