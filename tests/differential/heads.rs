//! Heads of requests against `httparse`.
//!
//! What this library serves, the other reads as the same request; what it refuses although the other
//! does not, it has a reason for.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use rushwire::testing::TestServer;
use rushwire::{App, Options};

use super::dice::Dice;
use super::maimed::maimed;
use super::request::{Seen, Theirs, reason};
use super::rounds;

const WHOLE: [&[u8]; 11] = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a/b%20c?d=e&f HTTP/1.1\r\nHost: a.example:80\r\nAccept: */*\r\n\r\n",
    b"\r\nGET / HTTP/1.1\r\nhOST:\t[::1]:80\t \r\nX-Empty:\r\n\r\n",
    b"GET http://b.example/x?y HTTP/1.1\r\nHost: a\r\n\r\n",
    b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
    b"HEAD /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"POST /p HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
    b"PUT /p HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"DELETE /p HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b; c=\"d\"\r\nX: \x80\xFF caf\xC3\xA9\r\nX: 2\r\n\r\n",
    b"PATCH /p HTTP/1.1\r\nHost: a\r\nUser-Agent: x/1 (y; z)\r\nAccept-Encoding: gzip, br;q=0.5\r\nContent-Length:0\r\n\r\n",
];

/// What this library makes of bytes.
enum Ours {
    Serves(Seen),
    WantsMore,
    Refuses(u16),
}

/// A server that notes the requests which it serves.
struct Server {
    server: TestServer,
    seen: Rc<RefCell<Vec<Seen>>>,
}

impl Server {
    fn new() -> Self {
        let seen: Rc<RefCell<Vec<Seen>>> = Rc::default();
        let mut app = App::with(Options::default());
        let notes = Rc::clone(&seen);
        app.middleware(move |ctx, next| {
            let request = ctx.request();
            notes.borrow_mut().push(Seen {
                method: request.method_name().to_owned(),
                target: request.url().to_owned(),
                headers: request
                    .headers()
                    .map(|(name, value)| (name.to_owned(), value.to_vec()))
                    .collect(),
            });
            next.run(ctx);
        });
        app.any("/*", |ctx| ctx.text("served"));
        let server = TestServer::new(app).expect("it is configured well");
        Self { server, seen }
    }

    fn hear(&self, bytes: &[u8]) -> Ours {
        let mut connection = self.server.open();
        connection.send(bytes);
        let answer = connection.answer();
        drop(connection);
        match (self.seen.take().into_iter().next(), answer) {
            (Some(seen), _) => Ours::Serves(seen),
            (None, Some(answer)) => Ours::Refuses(answer.status),
            (None, None) => Ours::WantsMore,
        }
    }
}

#[test]
fn what_is_served_is_what_others_read_and_what_is_refused_is_for_a_reason() {
    let ours = Server::new();
    let mut dice = Dice::new(1);
    let (mut same, mut reasons) = (0, BTreeMap::<_, usize>::new());
    for _ in 0..rounds() {
        let bytes = maimed(&mut dice, &WHOLE);
        let theirs = Theirs::of(&bytes);
        let head = match &theirs {
            Theirs::Read(read) => &bytes[..read.length],
            _ => &bytes,
        };
        let text = head.escape_ascii();
        match (ours.hear(head), theirs) {
            (Ours::Serves(seen), Theirs::Read(read)) => {
                assert_eq!(seen, read.seen, "{text}");
                same += 1;
            }
            (Ours::WantsMore, Theirs::Read(read)) => assert!(read.has_body(), "waits for {text}"),
            (Ours::Refuses(status), Theirs::Read(read)) => {
                let reason = reason(head, &read);
                let reason = reason.unwrap_or_else(|| panic!("{status} for {text}"));
                *reasons.entry(reason).or_default() += 1;
            }
            (Ours::Refuses(_), _) | (Ours::WantsMore, Theirs::WantsMore) => {}
            (Ours::Serves(_), _) => panic!("serves {text}"),
            (Ours::WantsMore, Theirs::NoRequest) => panic!("waits for more of {text}"),
        }
    }
    println!("{same} the same; refused by this library only: {reasons:#?}");
    assert!(
        same > rounds() / 5 && reasons.len() >= 14,
        "too few were good, or bad in too few ways"
    );
}
