//! What is allowed, and how much of it is used: `GET /api/limits`, and `/watch`, where it comes by itself.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use rushwire::{App, Hub, Socket};
use serde_json::{Value, json};

use crate::settings::Settings;
use crate::tell;

/// How often those who watch are told.
const PERIOD: Duration = Duration::from_millis(250);
/// So many rooms are shown: the fullest.
const ROOMS: usize = 20;

/// Where a socket comes from.
pub(crate) struct Address(pub(crate) IpAddr);

/// Somebody who watches.
struct Watcher;

/// What is told of it.
pub(crate) struct Gauges(Rc<Settings>);

impl Gauges {
    /// Adds the routes, and the timer that feeds them.
    pub(crate) fn serve(app: &mut App, settings: &Rc<Settings>) {
        let gauges = Rc::new(Self(Rc::clone(settings)));
        let asked = Rc::clone(&gauges);
        app.get("/api/limits", move |ctx| {
            let address = ctx.request().client_ip();
            let here = sockets_by_address(ctx.hub());
            let here = address.and_then(|address| here.get(&address).copied());
            let answer = json!({
                "limits": asked.limits(address),
                "gauges": asked.gauges(ctx.hub(), here.unwrap_or(0)),
            });
            ctx.header("Cache-Control", "no-store")
                .json(answer.to_string());
        });
        let seen = Rc::clone(&gauges);
        app.ws("/watch", move |socket, request| {
            let limits = seen.limits(request.client_ip());
            tell(socket, &json!({ "type": "limits", "limits": limits }));
            seen.show(socket, &sockets_by_address(socket.hub()));
            socket.set(Watcher);
        });
        app.hub()
            .set_interval(PERIOD, move |hub| gauges.show_all(hub));
    }

    fn limits(&self, address: Option<IpAddr>) -> Value {
        let rate = |count: u64, per: Duration| json!({ "count": count, "per": millis(per) });
        let settings = &self.0;
        json!({
            "you": address.map(|address| address.to_string()),
            "connections": rate(settings.connections.0.into(), settings.connections.1),
            "messages": rate(settings.messages.0.into(), settings.messages.1),
            "bytes": rate(settings.bytes.0, settings.bytes.1),
            "perIp": settings.per_ip,
            "room": settings.room,
            "allow": settings.allow,
            "deny": settings.deny,
            "timeout": millis(settings.timeout),
            "heartbeat": millis(settings.heartbeat),
            "beat": millis(settings.beat),
        })
    }

    /// `here`: sockets from the address of whoever asks.
    fn gauges(&self, hub: &Hub, here: usize) -> Value {
        let stats = hub.stats();
        json!({
            "here": here, "open": stats.total_connections, "accepted": stats.accepted,
            "messages": stats.messages_in, "rooms": fullest(stats.rooms),
            "refused": counts(stats.refused), "closed": counts(stats.closed),
        })
    }

    fn show_all(&self, hub: &Hub) {
        let sockets = hub.sockets();
        let mut watchers = sockets
            .iter()
            .filter(|socket| socket.data::<Watcher>().is_some());
        let Some(first) = watchers.next() else { return };
        let by_address = sockets_by_address(hub);
        self.show(first, &by_address);
        watchers.for_each(|watcher| self.show(watcher, &by_address));
    }

    fn show(&self, socket: &Socket, by_address: &HashMap<IpAddr, usize>) {
        let here = socket.data::<Address>();
        let here = here.and_then(|address| by_address.get(&address.0).copied());
        let gauges = self.gauges(socket.hub(), here.unwrap_or(0));
        tell(socket, &json!({ "type": "gauges", "gauges": gauges }));
    }
}

/// How many sockets each address has.
fn sockets_by_address(hub: &Hub) -> HashMap<IpAddr, usize> {
    let mut counts = HashMap::new();
    for socket in hub.sockets() {
        if let Some(address) = socket.data::<Address>() {
            *counts.entry(address.0).or_default() += 1;
        }
    }
    counts
}

fn fullest(rooms: impl IntoIterator<Item = (String, usize)>) -> Value {
    let mut rooms: Vec<(String, usize)> = rooms.into_iter().collect();
    rooms.sort_by_key(|(_, members)| Reverse(*members));
    rooms.truncate(ROOMS);
    let rooms = rooms.into_iter();
    Value::Object(
        rooms
            .map(|(name, members)| (name, members.into()))
            .collect(),
    )
}

/// Keys of JSON objects are texts.
fn counts<K: ToString>(counts: impl IntoIterator<Item = (K, u64)>) -> Value {
    let counts = counts.into_iter();
    Value::Object(
        counts
            .map(|(key, count)| (key.to_string(), count.into()))
            .collect(),
    )
}

fn millis(span: Duration) -> u64 {
    span.as_millis() as u64
}
