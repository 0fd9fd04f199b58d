//! Who hears a message: the members of rooms, each once, but for some.

use super::hub::Hub;
use super::into_message::IntoMessage;
use super::message::Message;
use super::status::SocketId;

/// The members of one or more rooms, for one message: each gets one copy, encoded once for all.
///
/// From [`Hub::to`] and [`Socket::to`](crate::Socket::to).
#[must_use = "nothing is sent until `send` is called"]
#[derive(Clone, Debug)]
pub struct Audience<'a> {
    hub: &'a Hub,
    room: &'a str,
    more: Vec<&'a str>,
    except: Vec<SocketId>,
}

impl<'a> Audience<'a> {
    pub(super) fn new(hub: &'a Hub, room: &'a str) -> Self {
        Self {
            hub,
            room,
            more: Vec::new(),
            except: Vec::new(),
        }
    }

    /// The members of `room`, too.
    pub fn to(mut self, room: &'a str) -> Self {
        self.more.push(room);
        self
    }

    /// But not that socket.
    pub fn except(mut self, id: SocketId) -> Self {
        self.except.push(id);
        self
    }

    /// Queues the message to each; returns how many were reached. An unknown room reaches nobody.
    pub fn send(self, message: impl IntoMessage) -> usize {
        let hub = self.hub;
        let reached = message.with_message(|message| self.send_message(message));
        reached.unwrap_or_else(|why| hub.not_sent(why))
    }

    fn send_message(self, message: Message<'_>) -> usize {
        let except = |member: &u32| {
            self.except
                .iter()
                .any(|id| id.0.index == *member && self.hub.socket(*id).is_some())
        };
        if self.more.is_empty() {
            let rooms = self.hub.rooms_mut();
            let members = rooms.members(self.room).iter().copied();
            return self
                .hub
                .send_to_members(members.filter(|member| !except(member)), message);
        }
        let mut members: Vec<u32> = Vec::new();
        for room in self.more.iter().chain([&self.room]) {
            members.extend(self.hub.rooms_mut().members(room));
        }
        members.sort_unstable();
        members.dedup();
        members.retain(|member| !except(member));
        self.hub.send_to_members(members.into_iter(), message)
    }
}
