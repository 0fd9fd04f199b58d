//! 3. `verify_client`: who may become a socket.

use crate::common::{Client, http, serve, serve_with};
use crate::{Journal, knock, still_serves};
use rushwire::{Options, Refusal, Response, Verdict};

#[test]
fn a_verdict_is_yes_or_401_or_any_response() {
    let server = serve(|app| {
        app.ws("/", |socket, _| _ = socket.send("hello"));
        app.verify_client(|request| match request.query("as") {
            Some("friend") => Verdict::from(true),
            Some("moved") => Response::text("ask over there")
                .with_status(307)
                .header("Location", "/there")
                .into(),
            Some("teapot") => Response::json("{\"short\":true}").with_status(418).into(),
            _ => false.into(),
        });
    });
    still_serves(&server, "/?as=friend");
    assert_eq!(knock(server.addr, "/", ""), 401);
    let moved = Client::try_connect(server.addr, "/?as=moved", "")
        .err()
        .expect("refused");
    assert_eq!(
        (moved.status, moved.header("location"), moved.text()),
        (307, Some("/there"), "ask over there")
    );
    let teapot = Client::try_connect(server.addr, "/?as=teapot", "")
        .err()
        .expect("refused");
    assert_eq!(
        (teapot.status, teapot.header("content-type"), teapot.text()),
        (418, Some("application/json"), "{\"short\":true}")
    );
}

#[test]
fn it_sees_the_whole_request_and_what_it_sets_is_the_sockets() {
    struct User(String);
    let server = serve(|app| {
        app.verify_client(|request| {
            let token = request
                .header("authorization")
                .unwrap_or_default()
                .to_owned();
            let seen = format!(
                "{token} {} {} {:?}",
                request.param("room"),
                request.url(),
                request.client_ip().expect("TCP")
            );
            request.set(User(seen));
            true
        });
        app.ws("/chat/:room", |socket, request| {
            let (mine, its) = (
                socket.data::<User>().expect("carried over"),
                request.data::<User>().expect("still there"),
            );
            assert_eq!(mine.0, its.0);
            socket.send(&mine.0);
        });
    });
    let mut client = Client::connect_with(
        server.addr,
        "/chat/tea%20time?x=1",
        "Authorization: Bearer abc\r\n",
    );
    assert_eq!(
        client.text(),
        "Bearer abc tea time /chat/tea%20time?x=1 127.0.0.1"
    );
}

#[test]
fn a_panic_is_answered_with_500_and_reported_and_the_server_goes_on() {
    let journal = Journal::default();
    let noted = journal.clone();
    let one_place = || Options {
        max_connections: 1,
        ..Options::default()
    };
    let server = serve_with(one_place, move |app| {
        app.on_error(move |report| noted.note(report));
        app.ws("/", |socket, _| _ = socket.send("hello"));
        app.verify_client(|request| match request.query("panic") {
            Some(what) => panic!("verify: {what}"),
            None => true,
        });
    });
    for _ in 0..3 {
        assert_eq!(knock(server.addr, "/?panic=oh", ""), 500);
    }
    let lines = journal.wait_for(3);
    assert!(
        lines.iter().all(|line| line.contains("verify: oh")),
        "{lines:?}"
    );
    still_serves(&server, "/");
}

#[test]
fn who_is_refused_was_never_there() {
    let journal = Journal::default();
    let noted = journal.clone();
    let one_place = || Options {
        max_connections: 1,
        ..Options::default()
    };
    let server = serve_with(one_place, move |app| {
        app.verify_client(|request| request.query("token").is_some());
        app.ws_use(move |_, _, next| {
            noted.note("middleware");
            next.run();
        });
        app.ws("/", |socket, _| _ = socket.send("hello"));
    });
    for _ in 0..5 {
        assert_eq!(knock(server.addr, "/", ""), 401);
    }
    assert!(journal.lines().is_empty());
    let stats = server.ask(|hub| hub.stats());
    assert_eq!(
        (
            stats.total_connections,
            stats.accepted,
            stats.refused.get(&Refusal::Verify)
        ),
        (0, 0, Some(&5))
    );
    assert!(stats.closed.is_empty(), "{:?}", stats.closed);
    still_serves(&server, "/?token=1");
}

#[test]
fn plain_http_is_not_verified() {
    let server = serve(|app| {
        app.verify_client(|_| false);
        app.get("/", |ctx| ctx.text("hello"));
    });
    assert_eq!(http::get(server.addr, "/").status, 200);
}
