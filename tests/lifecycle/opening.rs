//! Connections that were something else before, or never became what they were to be.

use std::cell::RefCell;
use std::io::Write;
use std::time::Duration;

use rushwire::Next;

use super::common::client::upgrade_request;
use super::common::log::log;
use super::common::{Client, http, serve, serve_with};
use super::{gone, no_heartbeat};

#[test]
fn a_connection_may_ask_for_pages_before_it_becomes_a_socket() {
    let server = serve(|app| {
        app.get("/page", |ctx| ctx.text("a page"));
        app.ws("/", |socket, _| _ = socket.send("a socket"));
    });
    let mut stream = http::connect(server.addr);
    let requests = [
        "GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n",
        &upgrade_request("/", ""),
    ]
    .concat();
    stream.write_all(requests.as_bytes()).expect("send");
    let (page, rest) = http::read_answer(&mut stream, Vec::new(), false);
    let (answer, rest) = http::read_answer(&mut stream, rest, false);
    assert_eq!((page.text(), answer.status), ("a page", 101));
    assert_eq!(
        Client {
            stream,
            rest,
            answer
        }
        .text(),
        "a socket"
    );
}

#[test]
fn a_peer_that_leaves_before_it_is_let_in_is_gone_at_once_whatever_is_decided_then() {
    let run: fn(Next) = Next::run;
    for (name, decide) in [("let in", run), ("refused", drop)] {
        let (pen, log) = log();
        let server = serve_with(no_heartbeat, move |app| {
            app.ws_use(move |socket, _, next| {
                pen.watch("a", socket);
                NEXT.set(Some(next));
            });
            app.ws("/", |_, _| panic!("it is gone"));
        });
        let mut client = server.connect("/");
        client.send("never heard");
        drop(client);
        let heard = (log.next(), log.next());
        let end = r#"a close 1006 "" Nobody PeerGone 0"#;
        assert_eq!(heard, ("a open".to_owned(), end.to_owned()), "{name}");
        server.ask(move |_| decide(NEXT.take().expect("the middleware waits")));
        gone(&server);
        server.stop(Duration::ZERO);
        assert!(log.rest().is_empty(), "{name}");
    }
}

thread_local! {
    static NEXT: RefCell<Option<Next>> = const { RefCell::new(None) };
}
