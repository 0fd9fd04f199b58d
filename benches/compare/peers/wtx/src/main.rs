//! The peer wtx, called by the comparison as `PROGRAM ADDRESS [HEARTBEAT]`.
//!
//! Echo is the server of the crate's own benchmark: one vectored write for each frame, which is how it
//! works; its writer cannot gather more. Reading cannot be interrupted, so in the room, and wherever
//! there is a heartbeat, the socket is split: one task reads, the other empties the inbox. A broadcast
//! shares its payload until a member frames it, which the crate does only for bytes that it may
//! change, hence a copy. It has no heartbeat, so each connection has an interval.

use std::rc::Rc;

use httparse::Request;
use subject::{Arguments, MAX_MESSAGE, Pulse, Room, Seat};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_local;
use wtx::collection::Vector;
use wtx::rng::Xorshift64;
use wtx::sync::Arc;
use wtx::web_socket::{
    Frame, OpCode, WebSocketAcceptor, WebSocketOwned, WebSocketPartsOwned, WebSocketPayloadOrigin,
    WebSocketReaderOwned, WebSocketReplier, WebSocketWriterOwned,
};

type Socket = WebSocketOwned<(), Xorshift64, TcpStream, false>;
type Parts = WebSocketPartsOwned<(), Xorshift64, OwnedReadHalf, OwnedWriteHalf, false>;
type Reader = WebSocketReaderOwned<(), Xorshift64, OwnedReadHalf, false>;
type Writer = WebSocketWriterOwned<(), Xorshift64, OwnedWriteHalf, false>;
/// What lies in an inbox: a frame whose payload is shared.
type Post = (OpCode, Rc<[u8]>);

fn main() {
    let arguments = Arguments::read();
    let room = Rc::new(Room::default());
    subject::serve(arguments, move |stream| {
        connection(stream, arguments, Rc::clone(&room))
    });
}

async fn connection(
    stream: TcpStream,
    arguments: Arguments,
    room: Rc<Room<Post>>,
) -> wtx::Result<()> {
    let mut in_room = false;
    let mut socket = WebSocketAcceptor::default()
        .req(|request: &Request<'_, '_>| {
            in_room = request.path == Some("/room");
            wtx::Result::Ok(())
        })
        .accept(stream)
        .await?;
    // Its limit is one that must not be reached.
    socket.set_max_payload_len(MAX_MESSAGE + 1);
    let pulse = Pulse::new(arguments.heartbeat);
    if in_room {
        talk(socket, room, Seat::tell_others, pulse).await
    } else if arguments.heartbeat.is_some() {
        // In a room of its own.
        talk(socket, Rc::default(), Seat::tell_myself, pulse).await
    } else {
        echo(socket).await
    }
}

async fn echo(mut socket: Socket) -> wtx::Result<()> {
    let mut buffer = Vector::new();
    let (mut common, mut reader, mut writer) = socket.split_mut();
    loop {
        let origin = WebSocketPayloadOrigin::Adaptive;
        let mut frame = reader.read_frame(&mut buffer, &mut common, origin).await?;
        match frame.op_code() {
            OpCode::Text | OpCode::Binary => writer.write_frame(&mut common, &mut frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

/// Gives each message to `tell`, while a task of its own writes what arrives in the inbox.
async fn talk(
    socket: Socket,
    room: Rc<Room<Post>>,
    tell: fn(&Seat<Post>, Post),
    pulse: Pulse,
) -> wtx::Result<()> {
    let parts: Parts = socket.into_split(TcpStream::into_split)?;
    let (seat, inbox) = room.join();
    spawn_local(write(parts.writer, parts.replier, inbox, pulse));
    read(parts.reader, seat, tell).await
}

async fn read(
    mut reader: Reader,
    seat: Seat<Post>,
    tell: fn(&Seat<Post>, Post),
) -> wtx::Result<()> {
    let mut buffer = Vector::new();
    loop {
        let origin = WebSocketPayloadOrigin::Adaptive;
        let frame = reader.read_frame(&mut buffer, origin).await?;
        match frame.op_code() {
            OpCode::Text | OpCode::Binary => {
                tell(&seat, (frame.op_code(), Rc::from(&**frame.payload())));
            }
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

/// Ends when the reader has left; until then sends its Pongs and its Close as well.
async fn write(
    mut writer: Writer,
    replier: Arc<WebSocketReplier<false>>,
    mut inbox: UnboundedReceiver<Post>,
    mut pulse: Pulse,
) -> wtx::Result<()> {
    let mut copy = Vec::new();
    loop {
        select! {
            biased;
            Some((op_code, payload)) = inbox.recv() => {
                copy.clear();
                copy.extend_from_slice(&payload);
                let mut frame = Frame::new_fin(op_code, copy.as_mut_slice());
                writer.write_frame(&mut frame).await?;
            }
            mut reply = replier.reply_frame() => {
                if writer.write_reply_frame(&mut reply).await? {
                    return Ok(());
                }
            }
            () = pulse.beat() => {
                writer.write_frame(&mut Frame::new_fin(OpCode::Ping, [0; 0])).await?;
            }
        }
    }
}
