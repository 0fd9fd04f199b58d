//! Which of a host's addresses are tried, and what is left when none is any more.

use std::io::Read;
use std::net::TcpListener;
use std::time::Instant;

use super::*;
use crate::client::Client;

/// How long something may take that has to happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client that looks for a host whose addresses it is told by the test, and what failed.
fn looking() -> (Client, Rc<Attempts>, Rc<RefCell<Vec<ConnectError>>>) {
    let mut client = Client::new().expect("a client");
    let hub = client.hub().clone();
    let url = Url::parse("ws://name.invalid/").expect("a URL");
    let handler = Box::new(|_: &Socket, _: &Answer| {});
    let attempts = Attempts::begin(hub, url, ConnectOptions::default(), handler);
    let failed = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&failed);
    attempts.listen(Box::new(move |failed| {
        told.borrow_mut().push(failed.error.clone())
    }));
    while matches!(*attempts.state.borrow(), State::Waiting(_)) {
        turn(&mut client);
    }
    (client, attempts, failed)
}

fn turn(client: &mut Client) {
    let turn = client.turn(Some(Duration::from_millis(10)));
    turn.expect("a turn");
}

/// Turns until a client comes to `listener`, and sends a request.
fn request(client: &mut Client, listener: &TcpListener) -> String {
    listener.set_nonblocking(true).expect("set");
    let deadline = Instant::now() + PATIENCE;
    let mut text = String::new();
    let mut stream = loop {
        assert!(Instant::now() < deadline, "nobody comes");
        turn(client);
        if let Ok((stream, _)) = listener.accept() {
            break stream;
        }
    };
    stream.set_nonblocking(true).expect("set");
    while !text.ends_with("\r\n\r\n") {
        assert!(Instant::now() < deadline, "nothing is asked");
        turn(client);
        let mut chunk = [0; 1024];
        if let Ok(n @ 1..) = stream.read(&mut chunk) {
            text.push_str(&String::from_utf8_lossy(&chunk[..n]));
        }
    }
    text
}

fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().expect("address");
    (listener, address)
}

/// An address at which nobody listens.
fn nobody() -> SocketAddr {
    listen().1
}

/// An address that the system refuses at once: it is of one link, and names none.
fn nowhere() -> SocketAddr {
    "[fe80::1]:1".parse().expect("an address")
}

#[test]
fn every_address_is_tried_until_somebody_answers() {
    let (listener, address) = listen();
    let (mut client, attempts, failed) = looking();
    let all = [nobody(), nowhere(), nobody(), address];
    attempts.found(Ok(all.into()));
    let request = request(&mut client, &listener);
    assert!(request.starts_with("GET / HTTP/1.1\r\nHost: name.invalid\r\n"));
    assert_eq!(*failed.borrow(), []);
}

#[test]
fn the_last_address_tells_why_there_is_no_connection() {
    for last in [nobody(), nowhere()] {
        let (mut client, attempts, failed) = looking();
        attempts.found(Ok([nowhere(), nobody(), last].into()));
        let deadline = Instant::now() + PATIENCE;
        while !attempts.is_over() {
            assert!(Instant::now() < deadline, "it never ends");
            turn(&mut client);
        }
        let kind = match &failed.borrow()[..] {
            [ConnectError::Io(kind, _)] => *kind,
            other => panic!("{other:?}"),
        };
        let is_refused = kind == ErrorKind::ConnectionRefused;
        assert_eq!(is_refused, last.is_ipv4(), "{kind}");
    }
}

#[test]
fn who_has_answered_at_one_address_is_not_looked_for_at_another() {
    let ((first, one), (second, other)) = (listen(), listen());
    let (mut client, attempts, failed) = looking();
    attempts.found(Ok([one, other].into()));
    // The stream is dropped, which ends the connection.
    request(&mut client, &first);
    let deadline = Instant::now() + PATIENCE;
    while !attempts.is_over() {
        assert!(Instant::now() < deadline, "it never ends");
        turn(&mut client);
    }
    assert_eq!(failed.borrow().len(), 1);
    second.set_nonblocking(true).expect("set");
    let asked = second.accept().map_err(|error| error.kind());
    assert_eq!(asked.err(), Some(ErrorKind::WouldBlock));
}

#[test]
fn a_host_without_addresses_is_not_found() {
    let (_client, attempts, failed) = looking();
    attempts.found(Ok(VecDeque::new()));
    let failed = failed.borrow();
    assert!(
        matches!(failed[..], [ConnectError::Io(ErrorKind::NotFound, _)]),
        "{failed:?}"
    );
}

#[test]
fn of_the_answers_about_a_host_only_the_first_counts() {
    let (listener, address) = listen();
    let (mut client, attempts, _) = looking();
    attempts.found(Ok([address].into()));
    attempts.found(Err(ErrorKind::TimedOut.into()));
    request(&mut client, &listener);
    assert!(!attempts.is_over());
}

#[test]
fn whatever_it_waited_for_it_leaves_no_timer_behind() {
    let (client, looking, _) = looking();
    looking.give_up();
    assert_eq!(client.hub().timers().next(), None);
    let url = Url::parse("ws://name.invalid/").expect("a URL");
    let handler = Box::new(|_: &Socket, _: &Answer| {});
    let hub = client.hub().clone();
    let waiting = Attempts::begin(hub, url, ConnectOptions::default(), handler);
    assert!(client.hub().timers().next().is_some());
    waiting.give_up();
    assert_eq!(client.hub().timers().next(), None);
}
