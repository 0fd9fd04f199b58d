//! The peer fastwebsockets, called by the comparison as `PROGRAM ADDRESS [HEARTBEAT]`.
//!
//! Echo is the crate's own benchmark server: one write for each frame, which is how it works. Reading
//! cannot be interrupted, so in the room, and wherever there is a heartbeat, the socket is split: one
//! task reads, the other empties the inbox through a buffer that is flushed once per wake-up. A
//! broadcast shares its payload; the crate frames it once for each member. It has no heartbeat, so
//! each connection has an interval.

use std::rc::Rc;

use bytes::Bytes;
use fastwebsockets::upgrade::{UpgradeFut, upgrade};
use fastwebsockets::{
    FragmentCollector, FragmentCollectorRead, Frame, OpCode, Payload, WebSocket, WebSocketError,
    WebSocketRead, WebSocketWrite,
};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::Upgraded;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use subject::{Arguments, MAX_MESSAGE, Pulse, Room, Seat};
use tokio::io::{BufWriter, ReadHalf, WriteHalf};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{spawn_local, unconstrained};

type Result<T> = std::result::Result<T, WebSocketError>;
type Stream = TokioIo<Upgraded>;
type Reader = FragmentCollectorRead<ReadHalf<Stream>>;
type Writer = WebSocketWrite<BufWriter<WriteHalf<Stream>>>;
/// What lies in an inbox: a frame whose payload is shared.
type Post = (OpCode, Bytes);

fn main() {
    let arguments = Arguments::read();
    let room = Rc::new(Room::default());
    subject::serve(arguments, move |stream| {
        http(stream, arguments, Rc::clone(&room))
    });
}

async fn http(stream: TcpStream, arguments: Arguments, room: Rc<Room<Post>>) -> hyper::Result<()> {
    let service =
        service_fn(move |request| std::future::ready(switch(request, arguments, Rc::clone(&room))));
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await
}

fn switch(
    mut request: Request<Incoming>,
    arguments: Arguments,
    room: Rc<Room<Post>>,
) -> Result<Response<Empty<Bytes>>> {
    let in_room = request.uri().path() == "/room";
    let (response, socket) = upgrade(&mut request)?;
    let pulse = Pulse::new(arguments.heartbeat);
    if in_room {
        spawn_local(unconstrained(talk(socket, room, Seat::tell_others, pulse)));
    } else if arguments.heartbeat.is_some() {
        let alone = Rc::default();
        spawn_local(unconstrained(talk(socket, alone, Seat::tell_myself, pulse)));
    } else {
        spawn_local(unconstrained(echo(socket)));
    }
    Ok(response)
}

async fn open(socket: UpgradeFut) -> Result<WebSocket<Stream>> {
    let mut socket = socket.await?;
    // Its limit is one that must not be reached.
    socket.set_max_message_size(MAX_MESSAGE + 1);
    Ok(socket)
}

async fn echo(socket: UpgradeFut) -> Result<()> {
    let mut socket = FragmentCollector::new(open(socket).await?);
    loop {
        let frame = socket.read_frame().await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => socket.write_frame(frame).await?,
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

/// Gives each message to `tell`, while a task of its own writes what arrives in the inbox.
async fn talk(
    socket: UpgradeFut,
    room: Rc<Room<Post>>,
    tell: fn(&Seat<Post>, Post),
    pulse: Pulse,
) -> Result<()> {
    let (reader, writer) = open(socket).await?.split(|stream| {
        let (reader, writer) = tokio::io::split(stream);
        (reader, BufWriter::new(writer))
    });
    let (seat, inbox) = room.join();
    spawn_local(unconstrained(write(writer, inbox, pulse)));
    read(reader, seat, tell).await
}

async fn read(
    reader: WebSocketRead<ReadHalf<Stream>>,
    seat: Seat<Post>,
    tell: fn(&Seat<Post>, Post),
) -> Result<()> {
    let mut reader: Reader = FragmentCollectorRead::new(reader);
    // Pong and Close are the writer's to send.
    let reply = &mut |frame: Frame<'_>| {
        seat.tell_myself((frame.opcode, bytes(frame.payload)));
        std::future::ready(Ok::<(), WebSocketError>(()))
    };
    loop {
        let frame = reader.read_frame(reply).await?;
        match frame.opcode {
            OpCode::Text | OpCode::Binary => tell(&seat, (frame.opcode, bytes(frame.payload))),
            OpCode::Close => return Ok(()),
            _ => {}
        }
    }
}

fn bytes(payload: Payload<'_>) -> Bytes {
    match payload {
        Payload::Bytes(bytes) => bytes.freeze(),
        payload => Vec::from(payload).into(),
    }
}

/// Ends when the reader has left and the inbox is empty.
async fn write(
    mut writer: Writer,
    mut inbox: UnboundedReceiver<Post>,
    mut pulse: Pulse,
) -> Result<()> {
    loop {
        select! {
            biased;
            post = inbox.recv() => match post {
                Some(post) => send(&mut writer, post).await?,
                None => return Ok(()),
            },
            () = pulse.beat() => send(&mut writer, (OpCode::Ping, Bytes::new())).await?,
        }
        while let Ok(post) = inbox.try_recv() {
            send(&mut writer, post).await?;
        }
        writer.flush().await?;
    }
}

async fn send(writer: &mut Writer, (opcode, payload): Post) -> Result<()> {
    let frame = Frame::new(true, opcode, None, Payload::Borrowed(&payload));
    writer.write_frame(frame).await
}
