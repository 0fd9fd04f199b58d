//! One connection of the clients': the opening handshake, its frames, and what its role makes of them.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::frames;
use super::member::Member;
use super::rooms;
use super::rude::Rude;
use super::slow::{Sleeper, Stuck};
use super::tally::LOST;
use super::wire::Wire;
use super::world::World;

/// The accept key for the key that every peer sends: RFC 6455 §1.3 has both.
const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

pub(crate) struct Peer {
    pub(crate) wire: Wire,
    pub(crate) role: Role,
    stage: Stage,
    /// When what is under way began: coming, or leaving.
    since: Instant,
    is_over: bool,
    /// When it wants to be [woken](Self::wake).
    pub(crate) wake_at: Option<Instant>,
    /// Tells it from others that had its place.
    pub(crate) number: u64,
}

pub(crate) enum Role {
    Member(Member),
    Sleeper(Sleeper),
    Stuck(Stuck),
    Rude(Rude),
    /// Asks the server for what it counts.
    Asker,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Connecting,
    /// The answer 101 is to come.
    Opening,
    Open,
    /// It is to be no socket.
    Plain,
}

impl Peer {
    /// # Errors
    ///
    /// The system has no descriptor or no port left.
    pub(crate) fn connect(
        address: SocketAddr,
        role: Role,
        number: u64,
        now: Instant,
    ) -> io::Result<Self> {
        Ok(Self {
            wire: Wire::connect(address)?,
            role,
            stage: Stage::Connecting,
            since: now,
            is_over: false,
            wake_at: None,
            number,
        })
    }

    /// The member, if it is one and is open.
    pub(crate) fn member(&mut self) -> Option<(&mut Member, &mut Wire)> {
        match &mut self.role {
            Role::Member(member) if self.stage == Stage::Open => Some((member, &mut self.wire)),
            _ => None,
        }
    }

    /// From now on it has [`LOST`] to be gone.
    pub(crate) fn hurry(&mut self, now: Instant) {
        self.since = now;
    }

    /// The stream is readable or writable. Whether it goes on.
    ///
    /// # Errors
    ///
    /// Something is not as it must be, and it does not go on.
    pub(crate) fn ready(&mut self, world: &mut World) -> Result<bool, String> {
        match self.go_on(world) {
            Ok(goes_on) => Ok(goes_on),
            Err(Trouble::Lost(error)) => self.ended(world, &error),
            Err(Trouble::Wrong(what)) => Err(what),
        }
    }

    fn go_on(&mut self, world: &mut World) -> Result<bool, Trouble> {
        if self.stage == Stage::Connecting && self.wire.is_connected()? {
            self.begin(world)?;
        }
        self.wire.flush()?;
        while !self.wire.is_asleep && self.stage != Stage::Connecting {
            if self.resets() {
                return Ok(!self.wire.has_more()?);
            }
            match self.wire.read(&mut world.scratch)? {
                None => break,
                Some(0) => return Ok(self.ended(world, "the server has finished")?),
                Some(_) => self.digest(world)?,
            }
        }
        Ok(true)
    }

    /// There is a connection.
    fn begin(&mut self, world: &mut World) -> io::Result<()> {
        let path = match &mut self.role {
            Role::Member(member) => format!("/soak/{}", rooms::name(member.room)),
            Role::Sleeper(_) => "/soak/sleepers".to_owned(),
            Role::Stuck(_) => "/soak/stuck".to_owned(),
            Role::Rude(rude) if rude.case.opens => "/soak/rude".to_owned(),
            Role::Rude(rude) => {
                self.stage = Stage::Plain;
                return rude.begin(&mut self.wire, world);
            }
            Role::Asker => {
                self.stage = Stage::Plain;
                let request = "GET /stats HTTP/1.1\r\nHost: soak\r\nConnection: close\r\n\r\n";
                self.wire.queue().extend_from_slice(request.as_bytes());
                return Ok(());
            }
        };
        self.stage = Stage::Opening;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: soak\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
        );
        self.wire.queue().extend_from_slice(request.as_bytes());
        Ok(())
    }

    /// Takes what has come.
    fn digest(&mut self, world: &mut World) -> Result<(), Trouble> {
        let input = self.wire.take();
        let used = match self.stage {
            Stage::Opening => self.answer(&input, world),
            Stage::Open => self.frames(&input, world),
            Stage::Connecting | Stage::Plain => Ok(0),
        };
        let used = used.map_err(Trouble::Wrong)?;
        self.wire.keep(input, used);
        Ok(self.wire.flush()?)
    }

    /// The answer to the request for a socket, and frames behind it. How much was used.
    fn answer(&mut self, input: &[u8], world: &mut World) -> Result<usize, String> {
        let end = input.windows(4).position(|four| four == b"\r\n\r\n");
        let Some(end) = end.map(|end| end + 4) else {
            return Ok(0);
        };
        let head = String::from_utf8_lossy(&input[..end]);
        if !head.starts_with("HTTP/1.1 101 ") || !head.contains(ACCEPT) {
            return Err(format!("refused: {head:?}"));
        }
        self.stage = Stage::Open;
        self.opened(world).map_err(|error| error.to_string())?;
        match self.resets() {
            true => Ok(end),
            false => Ok(end + self.frames(&input[end..], world)?),
        }
    }

    fn opened(&mut self, world: &mut World) -> io::Result<()> {
        world.tally.opened += 1;
        match &mut self.role {
            Role::Member(member) => member.opened(world),
            Role::Sleeper(_) => {
                world.say(&mut self.wire, frames::TEXT, b"g");
                self.sleep(world);
            }
            Role::Stuck(_) => {
                world.tally.close(1013);
                world.say(&mut self.wire, frames::TEXT, b"f");
                self.sleep(world);
            }
            Role::Rude(rude) => rude.begin(&mut self.wire, world)?,
            Role::Asker => {}
        }
        Ok(())
    }

    /// From now on it reads nothing, for some seconds.
    fn sleep(&mut self, world: &mut World) {
        let span = Duration::from_millis(1500 + world.dice.below(2000) as u64);
        self.wire.is_asleep = true;
        self.wake_at = Some(world.now + span);
    }

    /// All frames that are whole. How much was used.
    fn frames(&mut self, input: &[u8], world: &mut World) -> Result<usize, String> {
        let mut used = 0;
        while let Some(frame) = frames::read(&input[used..])? {
            used += frame.length;
            match frame.first {
                frames::TEXT | frames::BINARY => self.hear(frame.payload, world)?,
                frames::CLOSE => self.closed(frames::close_code(frame.payload), world)?,
                frames::PING => {
                    let mask = world.dice.mask();
                    frames::write(self.wire.queue(), frames::PONG, frame.payload, mask);
                }
                frames::PONG => {}
                first => return Err(format!("a frame that begins with {first:#04x}")),
            }
        }
        Ok(used)
    }

    fn hear(&mut self, payload: &[u8], world: &mut World) -> Result<(), String> {
        match &mut self.role {
            Role::Member(member) => member.hear(payload, world),
            Role::Sleeper(sleeper) => sleeper.hear(payload, &mut self.wire, world),
            Role::Stuck(stuck) => stuck.hear(payload),
            Role::Rude(_) | Role::Asker => Err("was sent a message".to_owned()),
        }
    }

    fn closed(&mut self, code: u16, world: &mut World) -> Result<(), String> {
        let wire = &mut self.wire;
        match &mut self.role {
            Role::Member(member) => return member.closed(code, wire, world),
            Role::Stuck(stuck) => stuck.closed(code, wire, world),
            Role::Rude(rude) => rude.closed(code, wire),
            Role::Sleeper(_) | Role::Asker => {}
        }
        Ok(())
    }

    /// The connection is over, and `why`. It does not go on.
    fn ended(&mut self, world: &mut World, why: &str) -> Result<bool, String> {
        self.is_over = true;
        let was_open = self.stage == Stage::Open;
        let ended = match &mut self.role {
            Role::Member(member) => member.ended(was_open, world),
            Role::Sleeper(sleeper) => sleeper.ended(world),
            Role::Stuck(stuck) => stuck.ended(world),
            Role::Rude(rude) => rude.ended(&self.wire.input, world),
            Role::Asker => {
                world.answer = Some(self.wire.take());
                Ok(())
            }
        };
        ended
            .map(|()| false)
            .map_err(|what| format!("{what} ({why})"))
    }

    /// It is dropped: whatever it counted for, it does no more.
    pub(crate) fn forget(&mut self, world: &mut World) {
        if !self.is_over {
            // It is dropped on purpose, or a failure that is told already.
            let _ = self.ended(world, "dropped");
        }
    }

    /// Whether it goes as soon as there is something to leave unread.
    fn resets(&self) -> bool {
        use super::member::Leaving;
        match &self.role {
            Role::Member(member) => member.leaving == Some(Leaving::Resets),
            Role::Rude(rude) => self.stage != Stage::Opening && rude.resets(),
            _ => false,
        }
    }

    /// A moment that was asked for has come. Whether it goes on.
    ///
    /// # Errors
    ///
    /// As [`ready`](Self::ready).
    pub(crate) fn wake(&mut self, world: &mut World) -> Result<bool, String> {
        match &self.role {
            Role::Stuck(stuck) if !stuck.reads => return Ok(false),
            Role::Sleeper(_) | Role::Stuck(_) => self.wire.is_asleep = false,
            _ => self.wire.release(),
        }
        self.ready(world)
    }

    /// What is late, if something is.
    pub(crate) fn late(&self, now: Instant) -> Option<&'static str> {
        let patience = match (&self.role, self.stage) {
            (Role::Member(member), Stage::Open) if member.leaving.is_none() => {
                return member.is_lost(now).then_some("lost: an echo");
            }
            // They sleep for a while.
            (Role::Sleeper(_) | Role::Stuck(_), _) => 2 * LOST,
            _ => LOST,
        };
        (now - self.since > patience).then_some(match self.stage {
            Stage::Connecting => "is not connected",
            Stage::Opening => "has no answer",
            Stage::Open | Stage::Plain => "has not ended",
        })
    }

    pub(crate) fn what(&self) -> String {
        match &self.role {
            Role::Member(member) => format!("a member of {}", rooms::name(member.room)),
            Role::Sleeper(sleeper) => {
                let (heard, more) = (sleeper.heard, self.wire.input.len());
                format!("a sleeper that has heard {heard} messages and {more} bytes")
            }
            Role::Stuck(_) => "a peer that is stuck".to_owned(),
            Role::Rude(_) => "a rude peer".to_owned(),
            Role::Asker => "the statistics".to_owned(),
        }
    }
}

/// Why a peer does not go on.
enum Trouble {
    /// The connection is lost, which may be as it should.
    Lost(String),
    /// Something is not as it must be.
    Wrong(String),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Lost(error.to_string())
    }
}

impl From<String> for Trouble {
    fn from(what: String) -> Self {
        Self::Wrong(what)
    }
}
