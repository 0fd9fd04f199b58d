//! The peer tokio-tungstenite, called by the comparison as `PROGRAM ADDRESS [HEARTBEAT]`.
//!
//! Its default buffers (128 KiB to read and to write) are what its documentation recommends for load.
//! Answers and deliveries are fed and then flushed once for all that was ready, as the crate's own
//! echo example does with `forward`. A broadcast shares its payload; the crate frames it once for
//! each member. It has no heartbeat, so each connection has an interval.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt, StreamExt};
use subject::{Arguments, MAX_MESSAGE, Pulse, Room, Seat};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Result};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

type Socket = WebSocketStream<TcpStream>;

fn main() {
    let arguments = Arguments::read();
    let room = Rc::new(Room::default());
    subject::serve(arguments, move |stream| {
        connection(stream, Rc::clone(&room), Pulse::new(arguments.heartbeat))
    });
}

async fn connection(stream: TcpStream, room: Rc<Room<Message>>, pulse: Pulse) -> Result<()> {
    let config = WebSocketConfig::default().max_frame_size(Some(MAX_MESSAGE));
    let mut in_room = false;
    #[expect(clippy::result_large_err, reason = "the crate's own type")]
    let see_path = |request: &Request, response: Response| {
        in_room = request.uri().path() == "/room";
        Ok(response)
    };
    let socket = accept_hdr_async_with_config(stream, see_path, Some(config)).await?;
    if in_room {
        let (seat, inbox) = room.join();
        talk(socket, seat, inbox, pulse).await
    } else {
        echo(socket, pulse).await
    }
}

async fn echo(mut socket: Socket, mut pulse: Pulse) -> Result<()> {
    loop {
        select! {
            biased;
            message = socket.next() => match message {
                Some(message) => answer(&mut socket, message?).await?,
                None => return Ok(()),
            },
            () = pulse.beat() => socket.send(Message::Ping(Bytes::new())).await?,
        }
    }
}

/// Sends back `first` and all that was read along with it.
async fn answer(socket: &mut Socket, first: Message) -> Result<()> {
    let mut next = Some(first);
    while let Some(message) = next {
        if is_data(&message) {
            socket.feed(message).await?;
        }
        next = socket.next().now_or_never().flatten().transpose()?;
    }
    socket.flush().await
}

async fn talk(
    mut socket: Socket,
    seat: Seat<Message>,
    mut inbox: UnboundedReceiver<Message>,
    mut pulse: Pulse,
) -> Result<()> {
    loop {
        // What was read first, so that deliveries gather meanwhile.
        select! {
            biased;
            message = socket.next() => match message.transpose()? {
                Some(message) if is_data(&message) => seat.tell_others(message),
                Some(_) => {}
                None => return Ok(()),
            },
            Some(message) = inbox.recv() => {
                socket.feed(message).await?;
                while let Ok(message) = inbox.try_recv() {
                    socket.feed(message).await?;
                }
                socket.flush().await?;
            }
            () = pulse.beat() => socket.send(Message::Ping(Bytes::new())).await?,
        }
    }
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}
