//! What is in the middle of something when the server begins to shut down is answered all the same.

#[cfg(target_os = "linux")]
use std::io::Read;
use std::io::Write;
use std::net::{Shutdown, TcpStream};
#[cfg(target_os = "linux")]
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::time::Duration;

use rushwire::{
    App, ConnectError, ConnectOptions, Deferred, Next, PendingVerdict, Remote, Response, event,
};

use super::common::client::{TEXT, frame, upgrade_request};
use super::common::log::log;
use super::common::{Client, Server, http, serve_with, until, wait_for_closed_doors};
use super::common::{NEVER, patient, wait_for_the_end_of};
#[cfg(target_os = "linux")]
use super::common::{PATIENCE, unix::serve_unix};

/// What another thread will decide.
#[derive(Debug)]
enum Pending {
    Answer(Deferred),
    Verdict(PendingVerdict),
    Next(Next),
}

/// A server that leaves everything to the test, in the order in which it is asked.
fn serve() -> (Server, mpsc::Receiver<Pending>) {
    let (sender, pending) = mpsc::channel();
    let server = serve_with(patient, move |app| {
        let ask = sender.clone();
        app.verify_client_deferred(move |request, verdict| match request.path() {
            "/verdict" => ask.send(Pending::Verdict(verdict)).expect("the test waits"),
            _ => verdict.accept(),
        });
        let ask = sender.clone();
        app.ws_use(move |_, request, next| match request.path() {
            "/next" => ask.send(Pending::Next(next)).expect("the test waits"),
            _ => next.run(),
        });
        for path in ["/verdict", "/next", "/open", "/guarded"] {
            app.ws(path, |socket, _| {
                socket.send("hello");
                socket.on(event::Message, |socket, message| _ = socket.send(message));
            });
        }
        let ask = sender.clone();
        app.get("/answer", move |ctx| {
            ask.send(Pending::Answer(ctx.defer()))
                .expect("the test waits");
        });
        app.middleware(move |ctx, next| match ctx.request().path() {
            "/guarded" => sender
                .send(Pending::Answer(ctx.defer()))
                .expect("the test waits"),
            _ => next.run(ctx),
        });
        app.get("/page", |ctx| ctx.text("a page"));
        app.post("/page", |ctx| ctx.bytes("text/plain", ctx.body()));
        app.get("/large", |ctx| ctx.text("x".repeat(LARGE)));
    });
    (server, pending)
}

const LARGE: usize = 8 << 20;

/// Asks for the end, and waits until it has begun.
fn shut(server: &Server) {
    server.remote.shutdown(NEVER).expect("it runs");
    wait_for_closed_doors(server.addr);
}

fn said(server: &Server, bytes: impl AsRef<[u8]>) -> TcpStream {
    let mut stream = http::connect(server.addr);
    stream.write_all(bytes.as_ref()).expect("send");
    stream
}

fn answer(stream: &mut TcpStream) -> http::Answer {
    http::read_answer(stream, Vec::new(), false).0
}

#[test]
fn an_answer_that_another_thread_gives_is_given_and_is_the_last() {
    let (server, pending) = serve();
    let mut stream = said(&server, "GET /answer HTTP/1.1\r\nHost: x\r\n\r\n");
    let Pending::Answer(deferred) = pending.recv().expect("it is asked") else {
        panic!("an answer was to be given");
    };
    shut(&server);
    deferred.respond(Response::text("at last"));
    let answer = answer(&mut stream);
    assert_eq!((answer.status, answer.text()), (200, "at last"));
    assert_eq!(answer.header("connection"), Some("close"));
    stream.shutdown(Shutdown::Write).expect("send FIN");
    assert_eq!(http::read_to_end(&mut stream), b"");
    wait_for_the_end_of(&server.remote);
}

/// Whoever is accepted now would only be closed.
#[test]
fn who_waits_for_a_verdict_is_told_whatever_that_is() {
    type Decide = fn(PendingVerdict);
    let decisions: [(Decide, u16); 4] = [
        (|verdict| verdict.accept(), 503),
        (|verdict| verdict.accept_with(7_u8), 503),
        (
            |verdict| verdict.refuse(Response::text("no").with_status(403)),
            403,
        ),
        (drop, 500),
    ];
    for (decide, status) in decisions {
        let (server, pending) = serve();
        // The frame is for a socket that there will never be.
        let hello = [
            upgrade_request("/verdict", "").as_bytes(),
            &frame(true, 0, TEXT, b"x"),
        ]
        .concat();
        let mut stream = said(&server, hello);
        let Pending::Verdict(verdict) = pending.recv().expect("it is asked") else {
            panic!("a verdict was to be given");
        };
        shut(&server);
        decide(verdict);
        assert_eq!(answer(&mut stream).status, status);
        stream.shutdown(Shutdown::Write).expect("send FIN");
        wait_for_the_end_of(&server.remote);
    }
}

#[test]
fn who_waits_for_middleware_is_closed_with_1001_and_what_is_decided_then_changes_nothing() {
    type Decide = fn(Next);
    let decisions: [Decide; 3] = [|next| next.run(), |next| next.reject(4000, "no"), drop];
    for decide in decisions {
        let (server, pending) = serve();
        let mut client = server.connect("/next");
        let Pending::Next(next) = pending.recv().expect("it is asked") else {
            panic!("middleware was to decide");
        };
        shut(&server);
        assert_eq!(client.closed().0, 1001);
        decide(next);
        client.send_close(1001, "");
        client.expect_end();
        wait_for_the_end_of(&server.remote);
    }
}

#[test]
fn an_upgrade_that_middleware_lets_another_thread_refuse_is_refused_so() {
    let (server, pending) = serve();
    let mut stream = said(&server, upgrade_request("/guarded", ""));
    let Pending::Answer(deferred) = pending.recv().expect("it is asked") else {
        panic!("an answer was to be given");
    };
    shut(&server);
    deferred.respond(Response::text("no").with_status(403));
    assert_eq!(answer(&mut stream).status, 403);
    drop(stream);
    wait_for_the_end_of(&server.remote);
}

#[test]
fn an_answer_that_is_partly_read_arrives_whole() {
    let (server, _) = serve();
    let mut stream = said(&server, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    until("some of it is there", || {
        stream.peek(&mut [0; 1000]).is_ok_and(|n| n == 1000)
    });
    shut(&server);
    let answer = answer(&mut stream);
    assert_eq!((answer.status, answer.body.len()), (200, LARGE));
    drop(stream);
    wait_for_the_end_of(&server.remote);
}

/// More than are accepted in one turn are at the door, and have asked, when the end begins.
#[test]
fn who_is_at_the_door_is_answered_too() {
    const EACH: usize = 50;
    let (server, _) = serve();
    let held = server.hold();
    let mut pages: Vec<_> = (0..EACH)
        .map(|_| said(&server, "GET /page HTTP/1.1\r\nHost: x\r\n\r\n"))
        .collect();
    let mut sockets: Vec<_> = (0..EACH)
        .map(|_| said(&server, upgrade_request("/open", "")))
        .collect();
    server.remote.shutdown(NEVER).expect("it runs");
    drop(held);
    for stream in &mut pages {
        assert_eq!(answer(stream).text(), "a page");
    }
    for stream in &mut sockets {
        let (answer, rest) = http::read_answer(stream, Vec::new(), false);
        if answer.status == 101 {
            let stream = stream.try_clone().expect("a descriptor");
            let mut client = Client {
                stream,
                rest,
                answer,
            };
            assert_eq!(client.text(), "hello");
            client.expect_close(1001);
        } else {
            assert_eq!(answer.status, 503);
        }
    }
    drop((pages, sockets));
    wait_for_the_end_of(&server.remote);
}

/// On Linux far more wait at the door of a Unix-domain socket than are accepted in two turns.
#[cfg(target_os = "linux")]
#[test]
fn who_is_at_the_door_is_answered_however_many_they_are() {
    let (server, path) = serve_unix(patient, |app| {
        _ = app.get("/page", |ctx| ctx.text("a page"))
    });
    let held = server.hold();
    let knock = |_| {
        let mut stream = UnixStream::connect(&path).expect("there is a queue");
        stream
            .set_read_timeout(Some(PATIENCE))
            .expect("set a timeout");
        stream
            .write_all(b"GET /page HTTP/1.0\r\n\r\n")
            .expect("send");
        stream
    };
    let streams: Vec<_> = (0..300).map(knock).collect();
    server.remote.shutdown(NEVER).expect("it runs");
    drop(held);
    for mut stream in streams {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        assert!(answer.ends_with("\r\n\r\na page"), "{answer:?}");
    }
    wait_for_the_end_of(&server.remote);
}

/// What has come of it is not a message.
#[test]
fn a_message_that_has_come_in_part_is_not_waited_for() {
    let (server, _) = serve();
    let mut client = server.connect("/open");
    assert_eq!(client.text(), "hello");
    let whole = frame(true, 0, TEXT, &[b'x'; 1000]);
    client.send_raw(&whole[..500]);
    server.ask(|_| ());
    shut(&server);
    assert_eq!(client.closed().0, 1001);
    client.send_raw(&whole[500..]);
    client.send_close(1001, "");
    client.expect_end();
    wait_for_the_end_of(&server.remote);
}

/// A server that accepts connections, and never says a word.
fn silent() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("bind");
    let url = format!("ws://{}", listener.local_addr().expect("address"));
    (listener, url)
}

#[test]
fn connections_of_this_side_are_given_up_and_none_is_begun_any_more() {
    let (pen, log) = log();
    let (listener, url) = silent();
    let server = serve_with(patient, |app| _ = app.ws("/open", |_, _| {}));
    let (mut client, begun) = (server.connect("/open"), url.clone());
    server.ask(move |hub| {
        let connection = hub.connect(&begun, ConnectOptions::default(), |_, _| {});
        let pen = pen.clone();
        connection
            .expect("a URL")
            .on_error(move |failed| pen.note(format!("{:?}", failed.error)));
    });
    let _held = listener.accept().expect("it is tried");
    server.remote.shutdown(NEVER).expect("it runs");
    assert_eq!(client.closed().0, 1001);
    assert_eq!(log.next(), format!("{:?}", ConnectError::Shutdown));
    let refused = server.ask(move |hub| {
        let connection = hub.connect(&url, ConnectOptions::default(), |_, _| {});
        connection.map(|_| ())
    });
    assert_eq!(refused, Err(ConnectError::Shutdown));
    client.send_close(1001, "");
    client.expect_end();
    wait_for_the_end_of(&server.remote);
}

/// In the turn in which the end is asked for it has not begun yet.
#[test]
fn a_connection_that_is_begun_in_the_same_turn_is_told_of_the_end() {
    let (_listener, url) = silent();
    let (sender, told) = mpsc::channel();
    let server = serve_with(patient, |_: &mut App| {});
    server.ask(move |hub| {
        hub.shutdown(NEVER);
        let connection = hub.connect(&url, ConnectOptions::default(), |_, _| {});
        connection.expect("a URL").on_error(move |failed| {
            let _ = sender.send(failed.error.clone());
        });
    });
    assert_eq!(told.recv(), Ok(ConnectError::Shutdown));
    wait_for_the_end_of(&server.remote);
}

/// Timers and jobs go on until everyone has gone.
#[test]
fn until_the_end_timers_and_jobs_still_run() {
    let (server, _) = serve();
    let mut client = server.connect("/open");
    assert_eq!(client.text(), "hello");
    shut(&server);
    let (sender, ran) = mpsc::channel();
    let post = |remote: &Remote| {
        let sender = sender.clone();
        remote.post(move |hub| {
            hub.set_timeout(Duration::from_millis(1), move |_| _ = sender.send("ran"));
        })
    };
    assert_eq!(post(&server.remote), Ok(()));
    assert_eq!(ran.recv(), Ok("ran"));
    assert_eq!(client.closed().0, 1001);
    client.send_close(1001, "");
    client.expect_end();
    wait_for_the_end_of(&server.remote);
}
