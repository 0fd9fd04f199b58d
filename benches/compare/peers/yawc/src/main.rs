//! The peer yawc, called by the comparison as `PROGRAM ADDRESS [HEARTBEAT]`.
//!
//! Options and batches are those of the crate's own benchmark: 128 KiB to read, flushed from 64 KiB
//! on, up to 32 messages that are ready answered in one write, UTF-8 checked (which is off unless it
//! is asked for). A broadcast shares its payload; the crate frames it once for each member. It has no
//! heartbeat, so each connection has an interval.

use std::rc::Rc;

use bytes::Bytes;
use futures_util::{FutureExt, SinkExt};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use subject::{Arguments, MAX_MESSAGE, Pulse, Room, Seat};
use tokio::net::TcpStream;
use tokio::select;
use tokio::sync::mpsc::UnboundedReceiver;
use yawc::{Frame, HttpWebSocket, OpCode, Options, Result, UpgradeFut, WebSocket};

/// So many messages are answered in one write.
const BATCH: usize = 32;

fn main() {
    let arguments = Arguments::read();
    let room = Rc::new(Room::default());
    subject::serve(arguments, move |stream| {
        http(stream, arguments, Rc::clone(&room))
    });
}

async fn http(stream: TcpStream, arguments: Arguments, room: Rc<Room<Frame>>) -> hyper::Result<()> {
    let service = service_fn(move |request| {
        let pulse = Pulse::new(arguments.heartbeat);
        std::future::ready(upgrade(request, Rc::clone(&room), pulse))
    });
    http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades()
        .await
}

fn upgrade(
    mut request: Request<Incoming>,
    room: Rc<Room<Frame>>,
    pulse: Pulse,
) -> Result<Response<Empty<Bytes>>> {
    let in_room = request.uri().path() == "/room";
    let (response, socket) = WebSocket::upgrade_with_options(&mut request, options())?;
    tokio::task::spawn_local(connection(socket, in_room.then_some(room), pulse));
    Ok(response)
}

fn options() -> Options {
    Options::default()
        .with_utf8()
        .without_compression()
        .with_max_payload_read(MAX_MESSAGE + 1)
        .with_read_buffer_capacity(128 * 1024)
        .with_backpressure_boundary(64 * 1024)
}

async fn connection(socket: UpgradeFut, room: Option<Rc<Room<Frame>>>, pulse: Pulse) -> Result<()> {
    let socket = socket.await?;
    match room.map(|room| room.join()) {
        Some((seat, inbox)) => talk(socket, seat, inbox, pulse).await,
        None => echo(socket, pulse).await,
    }
}

async fn echo(mut socket: HttpWebSocket, mut pulse: Pulse) -> Result<()> {
    loop {
        select! {
            biased;
            frame = socket.next_frame() => answer(&mut socket, frame?).await?,
            () = pulse.beat() => socket.send(Frame::ping(Bytes::new())).await?,
        }
    }
}

/// Sends back `first` and what was read along with it.
async fn answer(socket: &mut HttpWebSocket, first: Frame) -> Result<()> {
    let mut next = Some(first);
    for _ in 1..BATCH {
        let Some(frame) = next else { break };
        feed_back(socket, frame).await?;
        next = socket.next_frame().now_or_never().transpose()?;
    }
    if let Some(frame) = next {
        feed_back(socket, frame).await?;
    }
    socket.flush().await
}

async fn feed_back(socket: &mut HttpWebSocket, frame: Frame) -> Result<()> {
    if is_data(&frame) {
        socket.feed(frame).await?;
    }
    Ok(())
}

async fn talk(
    mut socket: HttpWebSocket,
    seat: Seat<Frame>,
    mut inbox: UnboundedReceiver<Frame>,
    mut pulse: Pulse,
) -> Result<()> {
    loop {
        // What was read first, so that deliveries gather meanwhile.
        select! {
            biased;
            frame = socket.next_frame() => {
                let frame = frame?;
                if is_data(&frame) {
                    seat.tell_others(frame);
                }
            }
            Some(frame) = inbox.recv() => {
                socket.feed(frame).await?;
                while let Ok(frame) = inbox.try_recv() {
                    socket.feed(frame).await?;
                }
                socket.flush().await?;
            }
            () = pulse.beat() => socket.send(Frame::ping(Bytes::new())).await?,
        }
    }
}

fn is_data(frame: &Frame) -> bool {
    matches!(frame.opcode(), OpCode::Text | OpCode::Binary)
}
