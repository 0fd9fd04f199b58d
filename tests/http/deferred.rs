//! Answers that another thread gives, at any time and once.

use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use rushwire::{Deferred, Options, Response};

use crate::common::{Client, PATIENCE, Server, http, serve, serve_with};
use crate::{Asker, request};

/// A server whose `/wait` hands its answer to the test, and whose `/` answers at once.
fn serve_waiting(
    options: impl FnOnce() -> Options + Send + 'static,
) -> (Server, Receiver<Deferred>) {
    let (sender, handles) = channel();
    let server = serve_with(options, move |app| {
        let posted = sender.clone();
        app.get("/wait", move |ctx| {
            ctx.header("X-Early", "yes").text("of no account");
            sender.send(ctx.defer()).expect("the test waits");
        });
        app.post("/wait", move |ctx| {
            assert_eq!(ctx.body(), b"12345");
            posted.send(ctx.defer()).expect("the test waits");
        });
        app.get("/", |ctx| {
            ctx.text(format!("at once {}", ctx.query("n").unwrap_or_default()))
        });
        app.ws("/", |socket, _| _ = socket.send("hello"));
    });
    (server, handles)
}

fn next(handles: &Receiver<Deferred>) -> Deferred {
    handles.recv_timeout(PATIENCE).expect("it was asked")
}

#[test]
fn another_thread_answers_and_the_connection_goes_on() {
    let (server, handles) = serve_waiting(Options::default);
    let mut asker = Asker::new(&server);
    for round in 0..3 {
        asker.send(request("GET", "/wait"));
        let response = Response::json(round.to_string())
            .with_status(201)
            .header("X-Late", "yes");
        next(&handles).respond(response);
        let answer = asker.answer();
        assert_eq!((answer.status, answer.text()), (201, &*round.to_string()));
        assert_eq!(
            (answer.header("X-Early"), answer.header("X-Late")),
            (Some("yes"), Some("yes"))
        );
        assert_eq!(answer.header("Content-Type"), Some("application/json"));
        assert_eq!(asker.ask(request("GET", "/")).text(), "at once ");
    }
}

#[test]
fn the_loop_serves_others_meanwhile() {
    let (server, handles) = serve_waiting(Options::default);
    let mut waiting: Vec<Asker> = (0..10).map(|_| Asker::new(&server)).collect();
    waiting
        .iter_mut()
        .for_each(|asker| asker.send(request("GET", "/wait")));
    let handles: Vec<Deferred> = waiting.iter().map(|_| next(&handles)).collect();
    assert_eq!(http::get(server.addr, "/").text(), "at once ");
    assert_eq!(Client::connect(server.addr, "/").text(), "hello");
    for (n, handle) in handles.into_iter().enumerate().rev() {
        handle.respond(Response::text(n.to_string()));
    }
    let answered: Vec<String> = waiting
        .iter_mut()
        .map(|asker| asker.answer().text().to_owned())
        .collect();
    let expected: Vec<String> = (0..10).map(|n| n.to_string()).collect();
    assert_eq!(answered, expected);
}

/// RFC 9112 §9.3.2: answers come in the order of the requests.
#[test]
fn what_was_pipelined_behind_waits_and_comes_in_order() {
    let (server, handles) = serve_waiting(Options::default);
    let mut asker = Asker::new(&server);
    let waiting = "POST /wait HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345";
    let one = [
        request("GET", "/?n=1"),
        waiting.to_owned(),
        request("GET", "/?n=2"),
    ]
    .concat();
    asker.send(one.as_bytes());
    let first = next(&handles);
    assert_eq!(asker.answer().text(), "at once 1");
    // More comes while it waits, cut anywhere.
    let more = [request("GET", "/wait"), request("GET", "/?n=3")].concat();
    for piece in more.as_bytes().chunks(7) {
        asker.send(piece);
    }
    assert!(
        handles.recv_timeout(Duration::from_millis(50)).is_err(),
        "it comes in its turn"
    );
    first.respond(Response::text("late 1"));
    assert_eq!(asker.answer().text(), "late 1");
    assert_eq!(asker.answer().text(), "at once 2");
    next(&handles).respond(Response::text("late 2"));
    assert_eq!(asker.answer().text(), "late 2");
    assert_eq!(asker.answer().text(), "at once 3");
}

#[test]
fn an_upgrade_pipelined_behind_becomes_a_socket_and_its_frames_are_read() {
    let (server, handles) = serve_waiting(Options::default);
    let mut asker = Asker::new(&server);
    let upgrade = crate::common::client::upgrade_request("/", "");
    asker.send([request("GET", "/wait"), upgrade].concat());
    asker.send(crate::common::client::frame(
        true,
        0,
        crate::common::client::PING,
        b"held",
    ));
    next(&handles).respond(Response::text("late"));
    assert_eq!(asker.answer().text(), "late");
    assert_eq!(asker.answer().status, 101);
    let mut expected = vec![0x81, 5];
    expected.extend(b"hello");
    expected.extend([0x8A, 4]);
    expected.extend(b"held");
    let mut got = std::mem::take(&mut asker.rest);
    while got.len() < expected.len() {
        let mut byte = [0];
        std::io::Read::read_exact(&mut asker.stream, &mut byte).expect("more");
        got.extend(byte);
    }
    assert_eq!(got, expected);
}

/// What is done to the handle; status and body of the answer.
type Case = (fn(Deferred), u16, &'static str);

#[test]
fn the_last_handle_that_is_dropped_unanswered_answers_500_and_the_first_answer_counts() {
    let (server, handles) = serve_waiting(Options::default);
    let mut asker = Asker::new(&server);
    let drop_both = |handle: Deferred| {
        let other = handle.clone();
        std::thread::spawn(move || drop(handle))
            .join()
            .expect("dropped");
        drop(other);
    };
    let answer_one = |handle: Deferred| {
        let other = handle.clone();
        drop(handle);
        other.respond(Response::text("one is left"));
    };
    let answer_twice = |handle: Deferred| {
        handle.clone().respond(Response::text("first"));
        handle.respond(Response::text("second"));
    };
    let table: [Case; 3] = [
        (drop_both, 500, "internal server error\n"),
        (answer_one, 200, "one is left"),
        (answer_twice, 200, "first"),
    ];
    for (act, status, text) in table {
        asker.send(request("GET", "/wait"));
        act(next(&handles));
        let answer = asker.answer();
        assert_eq!((answer.status, answer.text()), (status, text));
        assert_eq!(asker.ask(request("GET", "/")).text(), "at once ");
    }
}

#[test]
fn it_may_be_answered_before_the_handler_has_returned() {
    let server = serve(|app| {
        app.middleware(|ctx, next| {
            next.run(ctx);
            ctx.header("X-Behind", "yes").text("of no account");
        });
        app.get("/now", |ctx| {
            ctx.defer().respond(Response::text("now").with_status(202))
        });
        app.get("/twice", |ctx| {
            let first = ctx.defer();
            ctx.defer().respond(Response::text("the second handle"));
            drop(first);
        });
    });
    let mut asker = Asker::new(&server);
    for (path, status, text) in [("/now", 202, "now"), ("/twice", 200, "the second handle")] {
        let answer = asker.ask(request("GET", path));
        assert_eq!((answer.status, answer.text()), (status, text));
        assert_eq!(answer.header("X-Behind"), Some("yes"));
    }
}

/// RFC 9110 §9.3.2.
#[test]
fn head_gets_the_head_of_it() {
    let (server, handles) = serve_waiting(Options::default);
    let mut asker = Asker::new(&server);
    asker.send(request("HEAD", "/wait"));
    next(&handles).respond(Response::text("late"));
    let answer = asker.head_answer();
    assert_eq!(
        (answer.status, answer.header("Content-Length")),
        (200, Some("4"))
    );
    assert_eq!(asker.ask(request("GET", "/")).text(), "at once ");
}

#[test]
fn it_may_take_longer_than_any_time_limit_of_a_client() {
    let brief = || Options {
        handshake_timeout: Duration::from_millis(100),
        keep_alive_timeout: Duration::from_millis(100),
        ..Options::default()
    };
    let (server, handles) = serve_waiting(brief);
    let mut asker = Asker::new(&server);
    asker.send(request("GET", "/wait"));
    let handle = next(&handles);
    // Another client's time runs out twice meanwhile.
    for _ in 0..2 {
        Asker::new(&server).expect_end();
    }
    handle.respond(Response::text("late"));
    assert_eq!(asker.answer().text(), "late");
    asker.expect_end();
}

#[test]
fn a_client_that_has_finished_sending_still_gets_it() {
    let (server, handles) = serve_waiting(Options::default);
    let mut asker = Asker::new(&server);
    asker.send(request("GET", "/wait"));
    asker
        .stream
        .shutdown(std::net::Shutdown::Write)
        .expect("send FIN");
    next(&handles).respond(Response::text("late"));
    assert_eq!(asker.answer().text(), "late");
    asker.expect_end();
}

#[test]
fn an_answer_to_nobody_is_no_error() {
    let (server, handles) = serve_waiting(Options::default);
    let asker = Asker::new(&server);
    let mut stream = asker.stream;
    std::io::Write::write_all(&mut stream, request("GET", "/wait").as_bytes()).expect("send");
    let handle = next(&handles);
    drop(stream);
    handle.respond(Response::text("too late"));
    assert_eq!(http::get(server.addr, "/").text(), "at once ");
    // Nor when the whole server is gone.
    let mut asker = Asker::new(&server);
    asker.send(request("GET", "/wait"));
    let handle = next(&handles);
    server.stop(Duration::ZERO);
    handle.respond(Response::text("too late"));
}

#[test]
fn a_shutdown_waits_for_it_and_then_the_connection_is_closed() {
    let (server, handles) = serve_waiting(Options::default);
    let mut asker = Asker::new(&server);
    asker.send(request("GET", "/wait"));
    let handle = next(&handles);
    server.remote.shutdown(PATIENCE).expect("it is there");
    server.ask(|_| ());
    handle.respond(Response::text("the last words"));
    let answer = asker.answer();
    assert_eq!(
        (answer.text(), answer.header("Connection")),
        ("the last words", Some("close"))
    );
    asker.expect_end();
}

#[test]
fn one_larger_than_any_buffer_blocks_nobody() {
    const LARGE: usize = 20_000_000;
    let (server, handles) = serve_waiting(Options::default);
    let mut asker = Asker::new(&server);
    asker.send([request("GET", "/wait"), request("GET", "/?n=1")].concat());
    next(&handles).respond(Response::bytes("application/octet-stream", vec![7; LARGE]));
    assert_eq!(http::get(server.addr, "/").text(), "at once ");
    let answer = asker.answer();
    assert_eq!(answer.body.len(), LARGE);
    assert!(answer.body.iter().all(|&byte| byte == 7));
    assert_eq!(asker.answer().text(), "at once 1");
}

/// A peer that goes away while nobody has answered takes the connection with it in the end.
#[test]
fn nothing_is_left_of_clients_that_were_reset_while_they_waited() {
    let (server, handles) = serve_waiting(|| Options {
        max_connections: 1,
        ..Options::default()
    });
    for _ in 0..300 {
        let asker = Asker::new(&server);
        let mut stream = &asker.stream;
        std::io::Write::write_all(&mut stream, request("GET", "/wait").as_bytes()).expect("send");
        let handle = next(&handles);
        drop(asker);
        handle.respond(Response::text("too late"));
    }
    // 257 connections are the most that there can be.
    assert_eq!(Client::connect(server.addr, "/").text(), "hello");
    assert_eq!(http::get(server.addr, "/").text(), "at once ");
}

/// RST is told at once; FIN is not an end, since the client may still read its answer.
#[test]
fn a_client_that_is_reset_while_it_waits_frees_its_place_before_anybody_answers() {
    let (server, handles) = serve_waiting(|| Options {
        max_connections: 1,
        ..Options::default()
    });
    let mut kept = Vec::new();
    for _ in 0..300 {
        let asker = Asker::new(&server);
        // The first answer is left unread, so that the kernel says RST instead of FIN.
        let both = [request("GET", "/"), request("GET", "/wait")].concat();
        std::io::Write::write_all(&mut &asker.stream, both.as_bytes()).expect("send");
        kept.push(next(&handles));
        assert!(asker.stream.peek(&mut [0]).is_ok_and(|n| n == 1));
        drop(asker);
    }
    // 257 connections are the most that there can be.
    assert_eq!(http::get(server.addr, "/").text(), "at once ");
    kept.into_iter()
        .for_each(|handle| handle.respond(Response::text("too late")));
    assert_eq!(Client::connect(server.addr, "/").text(), "hello");
}

#[test]
fn the_handle_is_send_and_says_so_when_debugged() {
    fn is_send<T: Send + 'static>(value: T) -> T {
        value
    }
    let server = serve(|app| {
        app.get("/", |ctx| {
            let text = format!("{:?}", is_send(ctx.defer()));
            ctx.defer().respond(Response::text(text));
        });
    });
    assert_eq!(http::get(server.addr, "/").text(), "Deferred(Promise)");
}
