//! The peer tokio-tungstenite, called by the comparison as `PROGRAM ADDRESS [HEARTBEAT]`.
//!
//! Answers and deliveries go out by `forward`, as in the crate's own examples: all that is ready is fed
//! and then flushed once. In the room the halves are two tasks, since each look for input clears the
//! whole read buffer. A broadcast shares its payload; the crate frames it once for each member. It has
//! no heartbeat, so each connection has an interval.

use std::future::ready;
use std::rc::Rc;
use std::task::Poll;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use subject::{Arguments, MAX_MESSAGE, Pulse, Room, Seat};
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;
use tokio_tungstenite::tungstenite::handshake::server::{Request, Response};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Message, Result};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

type Reader = SplitStream<WebSocketStream<TcpStream>>;
type Writer = SplitSink<WebSocketStream<TcpStream>, Message>;

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
    let (writer, reader) = socket.split();
    if in_room {
        let (seat, inbox) = room.join();
        spawn_local(deliver(writer, inbox, pulse));
        talk(reader, seat).await
    } else {
        let messages = reader.try_filter(|message| ready(is_data(message)));
        and_pings(messages, pulse).forward(writer).await
    }
}

/// Tells the others what this member says, until it leaves.
async fn talk(mut reader: Reader, seat: Seat<Message>) -> Result<()> {
    while let Some(message) = reader.try_next().await? {
        if is_data(&message) {
            seat.tell_others(message);
        }
    }
    Ok(())
}

/// Ends when the reader has left and the inbox is empty.
async fn deliver(
    writer: Writer,
    mut inbox: UnboundedReceiver<Message>,
    pulse: Pulse,
) -> Result<()> {
    let messages = stream::poll_fn(move |context| inbox.poll_recv(context));
    and_pings(messages.map(Ok), pulse).forward(writer).await
}

/// `messages`, and a ping at each beat.
fn and_pings(
    mut messages: impl Stream<Item = Result<Message>> + Unpin,
    mut pulse: Pulse,
) -> impl Stream<Item = Result<Message>> {
    stream::poll_fn(move |context| match messages.poll_next_unpin(context) {
        Poll::Pending => {
            let beat = pulse.poll_beat(context);
            beat.map(|()| Some(Ok(Message::Ping(Bytes::new()))))
        }
        message => message,
    })
}

fn is_data(message: &Message) -> bool {
    message.is_text() || message.is_binary()
}
