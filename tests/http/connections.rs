//! Connections that are kept, pipelined, closed; HTTP/1.0; upgrades that are none (RFC 9112 §9).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rushwire::App;

use crate::common::client::upgrade_request;
use crate::common::{Client, http, serve};
use crate::{Asker, request};

fn page(app: &mut App) {
    app.get("/page/:number", |ctx| ctx.text(ctx.param("number")))
        .post("/page/:number", |ctx| ctx.text(ctx.param("number")));
    app.ws("/socket", |_, _| {});
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let server = serve(page);
    let mut asker = Asker::new(&server);
    for i in 0..200 {
        let answer = asker.ask(request("GET", &format!("/page/{i}")));
        assert_eq!(
            (answer.text(), answer.header("Connection")),
            (i.to_string().as_str(), None)
        );
    }
    assert_eq!(asker.ask(request("GET", "/unknown")).status, 404);
    assert_eq!(asker.ask(request("PUT", "/page/1")).status, 405);
    assert_eq!(asker.ask(request("GET", "/socket")).status, 426);
    assert_eq!(asker.ask(request("GET", "/page/last")).text(), "last");
}

#[test]
fn requests_in_one_segment_are_answered_in_their_order() {
    let server = serve(page);
    let mut asker = Asker::new(&server);
    let all: String = (0..2000)
        .map(|i| match i % 3 {
            0 => request("GET", &format!("/page/{i}")),
            1 => format!("POST /page/{i} HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"),
            _ => format!("POST /page/{i} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"),
        })
        .collect();
    asker.send(all);
    for i in 0..2000 {
        assert_eq!(asker.answer().text(), i.to_string());
    }
}

/// RFC 9112 §2.2: an empty line that an old client sends behind its body.
#[test]
fn an_empty_line_between_two_requests_is_no_request() {
    let server = serve(page);
    let mut asker = Asker::new(&server);
    let one = request("GET", "/page/1");
    asker.send(format!("\r\n{one}\r\n{one}"));
    assert_eq!((asker.answer().text(), asker.answer().text()), ("1", "1"));
}

/// RFC 9112 §9.3, §9.6.
#[test]
fn the_connection_is_kept_or_closed_as_the_request_wants_it() {
    let server = serve(page);
    let table = [
        ("HTTP/1.1", "", true, None),
        ("HTTP/1.1", "Connection: keep-alive\r\n", true, None),
        ("HTTP/1.1", "Connection: close\r\n", false, Some("close")),
        ("HTTP/1.1", "Connection: CLOSE\r\n", false, Some("close")),
        ("HTTP/1.1", "Connection: x, close\r\n", false, Some("close")),
        (
            "HTTP/1.1",
            "Connection: x\r\nConnection: close\r\n",
            false,
            Some("close"),
        ),
        (
            "HTTP/1.1",
            "Connection: keep-alive, close\r\n",
            false,
            Some("close"),
        ),
        ("HTTP/1.1", "Connection: closed\r\n", true, None),
        ("HTTP/1.1", "Connection: upgrade\r\n", true, None),
        ("HTTP/1.0", "", false, Some("close")),
        (
            "HTTP/1.0",
            "Connection: keep-alive\r\n",
            true,
            Some("keep-alive"),
        ),
        (
            "HTTP/1.0",
            "Connection: keep-alive, close\r\n",
            false,
            Some("close"),
        ),
    ];
    for (version, header, kept, told) in table {
        let mut asker = Asker::new(&server);
        let first = format!("GET /page/1 {version}\r\nHost: x\r\n{header}\r\n");
        asker.send(format!("{first}{}", request("GET", "/page/2")));
        let answer = asker.answer();
        assert_eq!(
            (answer.text(), answer.header("Connection")),
            ("1", told),
            "{version} {header}"
        );
        if kept {
            assert_eq!(asker.answer().text(), "2", "{version} {header}");
        } else {
            asker.expect_end();
        }
    }
}

#[test]
fn http_1_0_needs_no_host() {
    let server = serve(page);
    let mut asker = Asker::new(&server);
    assert_eq!(asker.ask("GET /page/old HTTP/1.0\r\n\r\n").text(), "old");
    asker.expect_end();
}

#[test]
fn a_client_that_has_finished_sending_still_gets_its_answers() {
    let server = serve(page);
    let mut asker = Asker::new(&server);
    asker.send([request("GET", "/page/1"), request("GET", "/page/2")].concat());
    asker
        .stream
        .shutdown(std::net::Shutdown::Write)
        .expect("send FIN");
    assert_eq!((asker.answer().text(), asker.answer().text()), ("1", "2"));
    asker.expect_end();
}

#[test]
fn a_client_that_leaves_in_the_middle_of_a_request_gets_nothing() {
    let server = serve(page);
    for part in [
        "",
        "GET /pa",
        "GET /page/1 HTTP/1.1\r\nHost",
        "POST /page/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf",
    ] {
        let mut asker = Asker::new(&server);
        asker.send(part);
        asker
            .stream
            .shutdown(std::net::Shutdown::Write)
            .expect("send FIN");
        asker.expect_end();
    }
    assert_eq!(http::get(server.addr, "/page/well").text(), "well");
}

#[test]
fn behind_a_bad_request_nothing_is_served() {
    let server = serve(page);
    for bad in [
        "BAD\r\n\r\n",
        "GET /page/0 HTTP/1.1\r\n\r\n",
        "GET /page/0 HTTP/1.1\r\nHost: x\r\nA : b\r\n\r\n",
        "\x16\x03\x01",
    ] {
        let mut asker = Asker::new(&server);
        asker.send(
            [
                &request("GET", "/page/before"),
                bad,
                &request("GET", "/page/behind"),
            ]
            .concat(),
        );
        assert_eq!(asker.answer().text(), "before", "{bad:?}");
        let answer = asker.answer();
        assert_eq!(
            (answer.status, answer.header("Connection")),
            (400, Some("close")),
            "{bad:?}"
        );
        asker.expect_end();
    }
}

/// What comes behind the last answer is none of the handlers' business: also what a client calls a body
/// (RFC 9112 §9.6).
#[test]
fn behind_the_last_answer_no_handler_runs() {
    let handled = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&handled);
    let server = serve(move |app| {
        app.get("/page", |ctx| ctx.text("a page"));
        app.get("/behind", move |ctx| {
            counter.fetch_add(1, Ordering::SeqCst);
            ctx.text("never")
        });
    });
    let behind = request("GET", "/behind");
    let body = format!("Content-Length: {}\r\n", behind.len());
    for (last, status) in [
        (
            "GET /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n",
            200,
        ),
        ("GET /page HTTP/1.0\r\n", 200),
        ("GET /page HTTP/1.1\r\n", 400),
        (
            &*format!("POST /nowhere HTTP/1.1\r\nHost: x\r\n{body}"),
            404,
        ),
        (&*format!("PUT /page HTTP/1.1\r\nHost: x\r\n{body}"), 405),
        (
            &*upgrade_request("/nowhere", "").replacen("\r\n\r\n", "\r\n", 1),
            404,
        ),
    ] {
        let mut asker = Asker::new(&server);
        asker.send(format!("{last}\r\n{behind}{behind}"));
        assert_eq!(asker.answer().status, status, "{last}");
        asker.expect_end();
    }
    assert_eq!(http::get(server.addr, "/page").text(), "a page");
    assert_eq!(handled.load(Ordering::SeqCst), 0);
}

/// RFC 9110 §7.8: an upgrade that is not spoken here is ignored.
#[test]
fn an_upgrade_to_another_protocol_is_served_as_http() {
    let server = serve(page);
    let mut asker = Asker::new(&server);
    for upgrade in ["h2c", "TLS/1.0", "h2c, foo/2", "websockets"] {
        let headers = format!(
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: {upgrade}\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
        );
        let answer = asker.ask(format!("GET /page/1 HTTP/1.1\r\nHost: x\r\n{headers}\r\n"));
        assert_eq!(
            (answer.status, answer.text(), answer.header("Upgrade")),
            (200, "1", None),
            "{upgrade}"
        );
    }
}

#[test]
fn a_plain_get_where_only_sockets_are_is_426() {
    let server = serve(page);
    let answer = http::get(server.addr, "/socket");
    assert_eq!(
        (
            answer.status,
            answer.header("Upgrade"),
            answer.header("Connection")
        ),
        (426, Some("websocket"), Some("upgrade"))
    );
    assert!(!answer.body.is_empty());
}

#[test]
fn an_upgrade_where_no_socket_is_is_404() {
    let server = serve(page);
    for path in ["/page/1", "/nowhere", "/socket/"] {
        let answer = Client::try_connect(server.addr, path, "")
            .err()
            .expect("no socket");
        assert_eq!(answer.status, 404, "{path}");
    }
}

#[test]
fn a_path_may_be_a_page_and_a_socket() {
    let server = serve(|app| {
        app.get("/both", |ctx| ctx.text("a page"));
        app.ws("/both", |socket, _| {
            socket.send("a socket");
        });
    });
    assert_eq!(http::get(server.addr, "/both").text(), "a page");
    assert_eq!(server.connect("/both").text(), "a socket");
}
