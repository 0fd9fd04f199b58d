//! 3. `verify_client_deferred`: another thread decides who may become a socket.

use std::io::Write;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use crate::common::client::{BINARY, TEXT, frame, upgrade_request};
use crate::common::{Client, PATIENCE, Server, http, knock, serve, serve_with};
use crate::{Journal, NEVER, still_serves};
use rushwire::{Hub, Options, PendingVerdict, Response, event};

struct User(String);

/// A server that hands each verdict for `/wait` to the test.
struct Waiting {
    server: Server,
    verdicts: Receiver<PendingVerdict>,
    journal: Journal,
}

impl Waiting {
    fn with(options: impl FnOnce() -> Options + Send + 'static) -> Self {
        let (sender, verdicts) = channel();
        let journal = Journal::default();
        let noted = journal.clone();
        let server = serve_with(options, move |app| {
            let reported = noted.clone();
            app.on_error(move |report| reported.note(&report.message));
            app.verify_client_deferred(move |request, verdict| match request.path() {
                "/wait" => sender.send(verdict).expect("the test waits"),
                "/now" => verdict.accept_with(User("now".to_owned())),
                "/never" => verdict.refuse(Response::text("never").with_status(402)),
                "/forgotten" => drop(verdict),
                "/panic" => panic!("on purpose"),
                _ => verdict.accept(),
            });
            app.ws("/:any", move |socket, request| {
                noted.note("opened");
                socket.join("room");
                let user = socket
                    .data::<User>()
                    .map_or("nobody".to_owned(), |user| user.0.clone());
                socket.send(&user);
                assert_eq!(request.data::<User>().is_some(), user != "nobody");
                socket.on(event::Message, |socket, message| _ = socket.send(message));
            });
            app.ws("/", |socket, _| _ = socket.send("hello"));
        });
        Self {
            server,
            verdicts,
            journal,
        }
    }

    /// Sends a request that has to wait, and what comes behind it.
    fn knock(&self, behind: &[u8]) -> (std::net::TcpStream, PendingVerdict) {
        let mut stream = http::connect(self.server.addr);
        let bytes = [upgrade_request("/wait", "").as_bytes(), behind].concat();
        stream.write_all(&bytes).expect("send");
        let verdict = self.verdicts.recv_timeout(PATIENCE).expect("it was asked");
        (stream, verdict)
    }
}

#[test]
fn a_verdict_may_come_at_once_or_from_another_thread_and_carry_a_value() {
    let waiting = Waiting::with(Options::default);
    assert_eq!(waiting.server.connect("/now").text(), "now");
    assert_eq!(waiting.server.connect("/other").text(), "nobody");
    let (stream, verdict) = waiting.knock(b"");
    still_serves(&waiting.server, "/");
    std::thread::spawn(move || verdict.accept_with(User("late".to_owned())));
    let mut client = Client::take_over(stream);
    assert_eq!(client.text(), "late");
    client.send("and on");
    assert_eq!(client.text(), "and on");
}

#[test]
fn a_refusal_may_carry_status_headers_and_body() {
    let waiting = Waiting::with(Options::default);
    let never = Client::try_connect(waiting.server.addr, "/never", "")
        .err()
        .expect("refused");
    assert_eq!((never.status, never.text()), (402, "never"));
    let (mut stream, verdict) = waiting.knock(&frame(true, 0, TEXT, b"never heard"));
    let response = Response::json("{}")
        .with_status(403)
        .header("X-Why", "because");
    verdict.refuse(response);
    let (answer, rest) = http::read_answer(&mut stream, Vec::new(), false);
    assert_eq!((answer.status, answer.text()), (403, "{}"));
    assert_eq!(
        (answer.header("X-Why"), answer.header("Connection")),
        (Some("because"), Some("close"))
    );
    assert!(rest.is_empty() && http::read_to_end(&mut stream).is_empty());
    assert!(waiting.journal.lines().is_empty());
}

#[test]
fn one_that_is_dropped_or_panics_is_500_and_the_server_goes_on() {
    let waiting = Waiting::with(Options::default);
    for path in ["/forgotten", "/panic"] {
        assert_eq!(knock(waiting.server.addr, path, ""), 500, "{path}");
    }
    let (mut stream, verdict) = waiting.knock(b"");
    std::thread::spawn(move || drop(verdict))
        .join()
        .expect("dropped");
    assert_eq!(
        http::read_answer(&mut stream, Vec::new(), false).0.status,
        500
    );
    assert_eq!(waiting.journal.lines(), ["on purpose"]);
    still_serves(&waiting.server, "/");
}

#[test]
fn what_the_client_sends_meanwhile_is_held_and_delivered_in_order() {
    let waiting = Waiting::with(Options::default);
    let (mut stream, verdict) = waiting.knock(&frame(true, 0, TEXT, b"one"));
    let large = vec![7; 100_000];
    let sender = std::thread::spawn({
        let bytes = [
            frame(true, 0, BINARY, &large),
            frame(true, 0, TEXT, b"three"),
        ]
        .concat();
        let mut stream = stream.try_clone().expect("another handle");
        move || stream.write_all(&bytes).expect("send")
    });
    stream.flush().expect("flush");
    verdict.accept();
    let mut client = Client::take_over(stream);
    assert_eq!(
        (client.text(), client.text()),
        ("nobody".to_owned(), "one".to_owned())
    );
    assert_eq!(client.binary(), large);
    assert_eq!(client.text(), "three");
    sender.join().expect("sent");
}

#[test]
fn until_then_it_is_no_socket_but_takes_a_place() {
    let waiting = Waiting::with(|| Options {
        max_connections: 1,
        ..Options::default()
    });
    let (mut stream, verdict) = waiting.knock(b"");
    assert_eq!(
        waiting
            .server
            .ask(|hub| (hub.len(), hub.stats().total_connections)),
        (0, 0)
    );
    assert_eq!(waiting.server.ask(|hub| hub.ws_broadcast("early", None)), 0);
    assert_eq!(knock(waiting.server.addr, "/", ""), 503);
    verdict.refuse(Response::new(403));
    assert_eq!(
        http::read_answer(&mut stream, Vec::new(), false).0.status,
        403
    );
    // The place is free again.
    let (stream, verdict) = waiting.knock(b"");
    verdict.accept();
    assert_eq!(Client::take_over(stream).text(), "nobody");
}

/// D15: what is counted only after the verdict lets in too many.
#[test]
fn max_connections_holds_while_many_verdicts_are_pending() {
    let waiting = Waiting::with(|| Options {
        max_connections: 3,
        ..Options::default()
    });
    let pending: Vec<_> = (0..3).map(|_| waiting.knock(b"")).collect();
    for _ in 0..3 {
        assert_eq!(knock(waiting.server.addr, "/wait", ""), 503);
    }
    let clients: Vec<Client> = pending
        .into_iter()
        .map(|(stream, verdict)| {
            verdict.accept();
            Client::take_over(stream)
        })
        .collect();
    waiting
        .server
        .wait_until("all are in", |hub| hub.len() == 3);
    assert_eq!(knock(waiting.server.addr, "/wait", ""), 503);
    drop(clients);
}

#[test]
fn the_peer_may_vanish_meanwhile_and_nothing_happens_then() {
    let waiting = Waiting::with(|| Options {
        max_connections: 1,
        ..Options::default()
    });
    let verdicts: [fn(PendingVerdict); 3] = [
        |verdict| verdict.accept_with(User("gone".to_owned())),
        |verdict| verdict.refuse(Response::new(403)),
        drop,
    ];
    for decide in verdicts {
        let (stream, verdict) = waiting.knock(b"");
        drop(stream);
        decide(verdict);
        // Its place is free again.
        crate::common::until("there is a place", || {
            let client = Client::try_connect(waiting.server.addr, "/", "");
            client.is_ok_and(|client| {
                drop(client);
                waiting.server.wait_until("it is gone", Hub::is_empty);
                true
            })
        });
    }
}

#[test]
fn a_peer_that_is_reset_meanwhile_frees_its_place_before_the_verdict() {
    let waiting = Waiting::with(|| Options {
        max_connections: 1,
        handshake_timeout: NEVER,
        ..Options::default()
    });
    let mut stream = http::connect(waiting.server.addr);
    // The first answer is left unread, so that the kernel says RST instead of FIN.
    let unread = "GET /no/where HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let both = [unread, &upgrade_request("/wait", "")].concat();
    stream.write_all(both.as_bytes()).expect("send");
    let verdict = waiting.verdicts.recv_timeout(PATIENCE);
    let verdict = verdict.expect("it was asked");
    assert!(stream.peek(&mut [0]).is_ok_and(|n| n == 1));
    assert_eq!(knock(waiting.server.addr, "/", ""), 503);
    drop(stream);
    crate::common::until("there is a place", || {
        knock(waiting.server.addr, "/", "") == 101
    });
    verdict.accept_with(User("gone".to_owned()));
    waiting.server.wait_until("nobody is there", Hub::is_empty);
}

#[test]
fn a_verdict_after_the_time_for_the_handshake_is_too_late() {
    let waiting = Waiting::with(|| Options {
        handshake_timeout: Duration::from_millis(100),
        ..Options::default()
    });
    let (mut stream, verdict) = waiting.knock(b"");
    let (answer, _) = http::read_answer(&mut stream, Vec::new(), false);
    assert_eq!(
        (answer.status, answer.header("Connection")),
        (503, Some("close"))
    );
    assert!(answer.header("Retry-After").is_some());
    verdict.accept();
    assert!(http::read_to_end(&mut stream).is_empty());
    assert!(waiting.journal.lines().is_empty());
    still_serves(&waiting.server, "/");
}

#[test]
fn one_that_comes_after_the_server_is_gone_is_no_error() {
    let waiting = Waiting::with(Options::default);
    let (_stream, verdict) = waiting.knock(b"");
    waiting.server.stop(Duration::ZERO);
    verdict.accept();
}

#[test]
fn of_the_two_ways_to_verify_the_later_registration_counts() {
    let server = serve(|app| {
        app.verify_client(|_| false);
        app.verify_client_deferred(|_, verdict| verdict.accept());
        app.ws("/", |socket, _| _ = socket.send("hello"));
    });
    still_serves(&server, "/");
    let server = serve(|app| {
        app.verify_client_deferred(|_, verdict| verdict.accept());
        app.verify_client(|_| false);
        app.ws("/", |_, _| {});
    });
    assert_eq!(knock(server.addr, "/", ""), 401);
}
