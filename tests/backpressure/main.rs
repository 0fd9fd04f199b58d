//! A peer that does not read costs bounded memory, loses nothing that is not counted, and harms
//! nobody else.
#[path = "../common/mod.rs"]
mod common;

mod accounting;
mod rooms;
mod waiting;

use std::time::Duration;

use common::log::Pen;
use common::{Client, Server, serve_with};
use rushwire::{Hub, Options, Overflow, SendStatus, Socket};

const POLICIES: [Overflow; 3] = [Overflow::Close, Overflow::DropNewest, Overflow::DropOldest];
const KIB: usize = 1024;
/// What may wait for a peer.
const MAX: usize = 512 * KIB;
/// More than the kernel takes for a peer on the same machine that does not read.
const MORE_THAN_THE_KERNEL_TAKES: usize = 24 << 20;

/// A server whose sockets at `/:name` are each in the room of that name, and in `"all"`.
fn serve_limited(max: usize, overflow: Overflow, pen: Pen) -> Server {
    let options = move || Options {
        heartbeat: Duration::ZERO,
        max_backpressure: max,
        overflow,
        ..Options::default()
    };
    serve_with(options, move |app| {
        app.ws("/:name", move |socket, request| {
            pen.watch(request.param("name"), socket);
            socket.join(request.param("name"));
            socket.join("all");
        });
    })
}

fn member(hub: &Hub, name: &str) -> Option<Socket> {
    hub.room(name).members().into_iter().next()
}

/// A message that tells its place in the order, and whether it is whole.
fn numbered(number: u32, size: usize) -> Vec<u8> {
    let mut message = vec![number as u8; size.max(4)];
    message[..4].copy_from_slice(&number.to_be_bytes());
    message
}

fn number_of(message: &[u8]) -> u32 {
    let number = u32::from_be_bytes(message[..4].try_into().unwrap());
    assert!(
        message == numbered(number, message.len()),
        "message {number} is spoilt"
    );
    number
}

/// Sends messages `from..` to `to` until `enough`, some in each turn; gives what became of each.
fn send_until(
    server: &Server,
    to: &'static str,
    size: usize,
    max: usize,
    enough: impl Fn(&[SendStatus]) -> bool,
) -> Vec<SendStatus> {
    let mut all = Vec::new();
    while !enough(&all) {
        let from = all.len() as u32;
        all.extend(server.ask(move |hub| {
            let Some(socket) = member(hub, to) else {
                return vec![SendStatus::Closed];
            };
            let send = |number| {
                let status = socket.send(&numbered(number, size));
                assert!(
                    size >= 64 * KIB || socket.buffered_amount() <= max,
                    "{} wait",
                    socket.buffered_amount()
                );
                status
            };
            (from..from + 5).map(send).collect()
        }));
    }
    all
}

fn accepted(statuses: &[SendStatus]) -> Vec<u32> {
    let numbers = statuses.iter().zip(0..);
    numbers
        .filter(|(status, _)| matches!(status, SendStatus::Queued | SendStatus::Backpressure))
        .map(|(_, number)| number)
        .collect()
}

/// The number at the end of a line of the log.
fn undelivered(line: &str) -> usize {
    line.rsplit(' ')
        .next()
        .and_then(|number| number.parse().ok())
        .expect("a number at the end")
}

/// Reads numbered messages up to number `last`.
fn read_up_to(client: &mut Client, last: u32) -> Vec<u32> {
    let mut numbers = Vec::new();
    while numbers.last() != Some(&last) {
        numbers.push(number_of(&client.binary()));
    }
    assert!(
        numbers.is_sorted_by(|a, b| a < b),
        "in order, and each once"
    );
    numbers
}
