//! What the dashboard's sockets say and hear: JSON, in the room `dashboard`, and in a room
//! `metrics:NAME` for those who want one metric more often.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rushwire::{Hub, Socket, event};
use serde_json::{Value, json};

use super::orders::Orders;
use super::process::{self, Meter};

const ROOM: &str = "dashboard";
/// How often everyone hears all metrics, and how often subscribers hear theirs.
const EVERY: Duration = Duration::from_millis(1000);
const OFTEN: Duration = Duration::from_millis(250);
/// How often a socket is pinged to see how long an answer takes.
const PING_EVERY: Duration = Duration::from_secs(2);
/// How many seconds of metrics a newcomer is shown.
const KEPT: usize = 60;
/// How many orders can be moved on at once.
const MOST_AT_ONCE: usize = 100;
/// What can be subscribed to.
const METRICS: [&str; 5] = ["cpu", "memory", "connections", "messages", "uptime"];

/// The metrics and the orders, and who is told of them.
pub(crate) struct Feed {
    started: Instant,
    /// One for each rhythm: a look at it starts its next span.
    slow: RefCell<Meter>,
    fast: RefCell<Meter>,
    /// Percent of a processor in the last full second.
    cpu: Cell<Option<f64>>,
    history: RefCell<VecDeque<Value>>,
    orders: RefCell<Orders>,
}

impl Feed {
    /// Begins to measure and to tell.
    pub(crate) fn start(hub: &Hub) -> Rc<Self> {
        let feed = Rc::new(Self {
            started: Instant::now(),
            slow: RefCell::new(Meter::new()),
            fast: RefCell::new(Meter::new()),
            cpu: Cell::new(None),
            history: RefCell::default(),
            orders: RefCell::default(),
        });
        let slow = Rc::clone(&feed);
        hub.set_interval(EVERY, move |hub| slow.tell_everyone(hub));
        let fast = Rc::clone(&feed);
        hub.set_interval(OFTEN, move |hub| fast.tell_subscribers(hub));
        feed
    }

    /// Somebody looks at the dashboard.
    pub(crate) fn welcome(self: &Rc<Self>, socket: &Socket) {
        socket.join(ROOM);
        let history = self.history.borrow();
        socket.send(
            &json!({
                "type": "initial_metrics", "data": self.metrics(socket.hub(), self.cpu.get()),
                "timestamp": now(), "history": *history, "orders": self.orders.borrow().latest(),
            })
            .to_string(),
        );
        keep_measuring_latency(socket);
        let feed = Rc::clone(self);
        socket.on(event::Message, move |socket, message| {
            if let Err(why) = feed.hear(socket, message.as_text()) {
                socket.send(&json!({ "type": "error", "message": why }).to_string());
            }
        });
    }

    fn hear(&self, socket: &Socket, text: Option<&str>) -> Result<(), String> {
        let said: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
        let said = said.ok_or("Invalid message format")?;
        match said["type"].as_str() {
            Some("subscribe") => {
                let metric = metric_of(&said)?;
                socket.join(&room_of(metric));
                tell(socket, &json!({ "type": "subscribed", "metric": metric }));
            }
            Some("unsubscribe") => {
                let metric = metric_of(&said)?;
                socket.leave(&room_of(metric));
                tell(socket, &json!({ "type": "unsubscribed", "metric": metric }));
            }
            Some("bulk_update") => {
                let items = said["items"].as_array().ok_or("Invalid message format")?;
                if items.len() > MOST_AT_ONCE {
                    return Err(format!("at most {MOST_AT_ONCE} items at once"));
                }
                self.update_orders(socket, items);
            }
            Some(_) => return Err("Unknown message type".to_owned()),
            None => return Err("Invalid message format".to_owned()),
        }
        Ok(())
    }

    /// Takes an order, and tells everyone of it.
    pub(crate) fn take_order(&self, hub: &Hub, wanted: &Value) -> Result<Value, String> {
        let time = now();
        let order = self.orders.borrow_mut().take(wanted, time)?;
        let news = json!({ "type": "new_order", "order": order, "timestamp": time });
        hub.to(ROOM).send(&news.to_string());
        Ok(order)
    }

    fn update_orders(&self, socket: &Socket, items: &[Value]) {
        let (changed, rejected) = self.orders.borrow_mut().update(items);
        if !changed.is_empty() {
            let news = json!({ "type": "orders_updated", "orders": changed, "timestamp": now() });
            socket.broadcast_all(ROOM, &news.to_string());
        }
        tell(
            socket,
            &json!({ "type": "bulk_updated", "applied": changed.len(), "rejected": rejected }),
        );
    }

    /// All that can be known now, at the cost of reading two files. `cpu` is measured elsewhere, since
    /// it is about a span of time.
    fn metrics(&self, hub: &Hub, cpu: Option<f64>) -> Value {
        let stats = hub.stats();
        json!({
            "cpu": cpu, "memory": process::memory(), "connections": stats.total_connections,
            "messages": stats.messages_in + stats.messages_out,
            "uptime": self.started.elapsed().as_secs_f64(),
        })
    }

    fn tell_everyone(&self, hub: &Hub) {
        self.cpu.set(self.slow.borrow_mut().percent());
        let (metrics, time) = (self.metrics(hub, self.cpu.get()), now());
        let news = json!({ "type": "metrics_update", "data": metrics, "timestamp": time });
        hub.to(ROOM).send(&news.to_string());
        let mut history = self.history.borrow_mut();
        history.push_back(json!({ "data": metrics, "timestamp": time }));
        if history.len() > KEPT {
            history.pop_front();
        }
    }

    fn tell_subscribers(&self, hub: &Hub) {
        let cpu = self.fast.borrow_mut().percent();
        let rooms = METRICS.map(|metric| (metric, room_of(metric)));
        if rooms.iter().all(|(_, room)| hub.room(room).is_empty()) {
            return;
        }
        let (metrics, time) = (self.metrics(hub, cpu), now());
        for (metric, room) in rooms {
            let value = &metrics[metric];
            let news = json!({
                "type": "metric_update", "metric": metric, "value": value, "timestamp": time,
            });
            hub.to(&room).send(&news.to_string());
        }
    }
}

/// Pings at once and every now and then, and tells how long the answers take. The library's own
/// heartbeat goes on beside it: that one ends dead connections.
fn keep_measuring_latency(socket: &Socket) {
    let sent: Rc<Cell<(u64, Instant)>> = Rc::new(Cell::new((0, Instant::now())));
    let ping = {
        let sent = Rc::clone(&sent);
        move |socket: &Socket| {
            let number = sent.get().0 + 1;
            sent.set((number, Instant::now()));
            socket.ping(&number.to_be_bytes());
        }
    };
    ping(socket);
    let id = socket.id();
    let timer = socket.hub().set_interval(PING_EVERY, move |hub| {
        hub.socket(id).iter().for_each(&ping);
    });
    socket.on(event::Pong, move |socket, payload| {
        let (number, at) = sent.get();
        // A late answer to an earlier ping, or to one of the heartbeat, tells nothing.
        if payload == number.to_be_bytes() {
            let milliseconds = at.elapsed().as_secs_f64() * 1000.0;
            tell(socket, &json!({ "type": "latency", "ms": milliseconds }));
        }
    });
    socket.on(event::Close, move |_, _| {
        timer.cancel();
    });
}

fn tell(socket: &Socket, what: &Value) {
    socket.send(&what.to_string());
}

fn room_of(metric: &str) -> String {
    format!("metrics:{metric}")
}

/// Which metric is meant: one that there is, so that nobody can fill the server with rooms.
fn metric_of(said: &Value) -> Result<&'static str, String> {
    let wanted = &said["metric"];
    let found = METRICS.iter().find(|metric| *wanted == **metric);
    found
        .copied()
        .ok_or_else(|| format!("Unknown metric: {wanted}"))
}

/// Milliseconds since 1970, as `Date.now()` counts.
fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_millis() as u64)
}
