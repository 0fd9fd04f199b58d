//! The way of a message from the decoder through the listener to the outbox, in an echo server without
//! sockets: a thousand messages, one in each turn or forty.

use std::fmt;
use std::io::Read;

use divan::Bencher;
use divan::counter::ItemsCount;
use rushwire::bench::{Connection, Server};
use rushwire::{Socket, event};

use crate::THOUSAND;
use crate::frames::{self, masked};
use crate::sample::Sample;

#[derive(Clone, Copy)]
struct Load {
    sample: Sample,
    in_turn: usize,
}

impl fmt::Display for Load {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} in a turn", self.sample, self.in_turn)
    }
}

fn loads() -> impl Iterator<Item = Load> {
    Sample::all().flat_map(|sample| [1, 40].map(|in_turn| Load { sample, in_turn }))
}

fn handler(socket: &Socket) {
    socket.on(event::Message, |socket, message| {
        socket.send(message);
    });
}

fn turns(server: &Server, connection: &mut Connection, input: &mut [u8], turn: usize) {
    for read in input.chunks_mut(turn) {
        connection.receive(read, server);
        server.write();
    }
}

#[divan::bench(args = loads())]
fn echo(bencher: Bencher<'_, '_>, Load { sample, in_turn }: Load) {
    let frame = masked(sample.kind, &sample.payload());
    let (mut input, turn) = (frame.repeat(THOUSAND), frame.len() * in_turn);
    let server = Server::default();

    let (mut seen, mut client) = server.connect_client(handler).expect("a connection");
    turns(&server, &mut seen, &mut input.clone()[..turn], turn);
    let expected = frames::frame(sample.kind, &sample.payload(), None).repeat(in_turn);
    let mut answer = vec![0; expected.len()];
    client.read_exact(&mut answer).expect("an answer");
    assert_eq!(answer, expected);

    let mut connection = server.connect(handler).expect("a place");
    bencher
        .counter(ItemsCount::new(THOUSAND))
        .bench_local(|| turns(&server, &mut connection, &mut input, turn));
    let stats = server.hub().stats();
    assert_eq!(stats.messages_in, stats.messages_out);
}
