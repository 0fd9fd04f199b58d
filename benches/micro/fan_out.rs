//! A broadcast to a room, from the sender's frame to the outboxes of all, without sockets: one message
//! in a turn, or ten that share it.

use std::fmt;
use std::io::Read;

use divan::Bencher;
use divan::counter::ItemsCount;
use rushwire::bench::{Connection, Server};
use rushwire::{Socket, event};

use crate::THOUSAND;
use crate::frames::{Kind, bytes, frame, masked};

const PAYLOAD: usize = 64;

#[derive(Clone, Copy)]
struct Load {
    members: usize,
    in_turn: usize,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} members, {} in a turn", self.members, self.in_turn)
    }
}

fn loads() -> impl Iterator<Item = Load> {
    let members = [100, THOUSAND].into_iter();
    members.flat_map(|members| [1, 10].map(|in_turn| Load { members, in_turn }))
}

fn sender(socket: &Socket) {
    socket.on(event::Message, |socket, message| {
        socket.broadcast("room", message);
    });
}

fn member(socket: &Socket) {
    socket.join("room");
}

/// Members whose bytes go nowhere.
fn seat(server: &Server, members: usize) -> Vec<Connection> {
    let seats = (0..members).map(|_| server.connect(member).expect("a place"));
    seats.collect()
}

/// A sender that is not in the room, and all that it sends in a turn.
fn turn(server: &Server, sender: &mut Connection, input: &mut [u8]) {
    sender.receive(input, server);
    server.write();
}

/// One member among many sees what a client should see.
fn look(Load { members, in_turn }: Load) {
    let server = Server::default();
    let mut sender = server.connect(sender).expect("a place");
    let _before = seat(&server, members / 2);
    let (_seen, mut client) = server.connect_client(member).expect("a connection");
    let _behind = seat(&server, members - members / 2 - 1);

    let mut input = masked(Kind::Binary, &bytes(PAYLOAD)).repeat(in_turn);
    turn(&server, &mut sender, &mut input);
    assert_eq!(
        server.hub().stats().messages_out,
        (members * in_turn) as u64
    );
    let expected = frame(Kind::Binary, &bytes(PAYLOAD), None).repeat(in_turn);
    let mut heard = vec![0; expected.len()];
    client.read_exact(&mut heard).expect("the broadcast");
    assert_eq!(heard, expected);
}

#[divan::bench(args = loads())]
fn broadcast(bencher: Bencher<'_, '_>, load: Load) {
    look(load);
    let server = Server::default();
    let mut sender = server.connect(sender).expect("a place");
    let _members = seat(&server, load.members);
    let mut input = masked(Kind::Binary, &bytes(PAYLOAD)).repeat(load.in_turn);
    bencher
        .counter(ItemsCount::new(load.members * load.in_turn))
        .bench_local(|| turn(&server, &mut sender, &mut input));
    let stats = server.hub().stats();
    assert_eq!(stats.messages_in * load.members as u64, stats.messages_out);
}
