//! The peer sockudo-ws, called by the comparison as `PROGRAM ADDRESS [HEARTBEAT]`.
//!
//! Echo is the loop of its README: `feed` the answers, and `next` flushes them before it reads more.
//! Rooms are its own `PubSub`, with one channel for each member; a broadcast shares its payload, and
//! the crate frames it once for each member. Heartbeat is its own, a ping after so long a silence.
//! mimalloc is on, which its README recommends for production: faster, and larger when idle.

use std::rc::Rc;

use futures_util::{SinkExt, StreamExt};
use sockudo_ws::handshake::server_handshake;
use sockudo_ws::{Config, Message, PubSub, Result, Role, SubscriberId, WebSocketStream};
use subject::{Arguments, MAX_MESSAGE};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

type Socket = WebSocketStream<TcpStream>;

const ROOM: &str = "room";
/// Seconds within which a ping must be answered, long enough for whoever opens many connections first.
const PATIENCE: u32 = 45;

fn main() {
    let arguments = Arguments::read();
    // Or its first connection would wait for the clock's calibration.
    sockudo_ws::init_clock();
    let config = config(arguments);
    let room = Rc::new(PubSub::new());
    subject::serve_with_timers(arguments, move |stream| {
        connection(stream, config.clone(), Rc::clone(&room))
    });
}

fn config(arguments: Arguments) -> Config {
    let seconds = arguments.heartbeat.map_or(0, |period| period.as_secs());
    Config::builder()
        .max_payload_length(MAX_MESSAGE)
        .idle_timeout(0)
        .auto_ping(seconds > 0)
        .ping_interval(seconds.try_into().expect("a heartbeat of some seconds"))
        .pong_timeout(PATIENCE)
        .build()
}

async fn connection(mut stream: TcpStream, config: Config, room: Rc<PubSub>) -> Result<()> {
    let handshake = server_handshake(&mut stream).await?;
    let rest = handshake.leftover;
    let socket = WebSocketStream::from_raw_with_leftover(stream, Role::Server, config, rest);
    if handshake.path != "/room" {
        return echo(socket).await;
    }
    let (sender, inbox) = unbounded_channel();
    let member = room.create_subscriber(sender);
    room.subscribe(member, ROOM);
    let end = talk(socket, &room, member, inbox).await;
    room.remove_subscriber(member);
    end
}

async fn echo(mut socket: Socket) -> Result<()> {
    while let Some(message) = socket.next().await {
        let message = message?;
        if is_data(&message) {
            socket.feed(message).await?;
        }
    }
    Ok(())
}

async fn talk(
    mut socket: Socket,
    room: &PubSub,
    member: SubscriberId,
    mut inbox: UnboundedReceiver<Message>,
) -> Result<()> {
    loop {
        // What was read first, so that deliveries gather meanwhile; `next` flushes what was fed.
        select! {
            biased;
            message = socket.next() => match message.transpose()? {
                Some(message) if is_data(&message) => {
                    room.publish_excluding(member, ROOM, message);
                }
                Some(_) => {}
                None => return Ok(()),
            },
            Some(message) = inbox.recv() => {
                socket.feed(message).await?;
                while let Ok(message) = inbox.try_recv() {
                    socket.feed(message).await?;
                }
            }
        }
    }
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}
