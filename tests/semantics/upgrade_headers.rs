//! Headers that the application adds to the answer 101 (RFC 6455 §4.2.2).

use crate::common::{Client, http, serve};
use crate::{Journal, knock};

#[test]
fn headers_that_are_added_to_a_request_are_in_the_101_in_their_order() {
    let server = serve(|app| {
        app.allow_origin_if(|_, request| request.respond_header("X-First", "1").is_ok());
        app.verify_client(|request| {
            let name = request.query("name").unwrap_or_default();
            for (header, value) in [
                ("Set-Cookie", format!("name={name}; HttpOnly")),
                ("Set-Cookie", "seen=1".to_owned()),
                ("X-Tab", "a\tb é".to_owned()),
            ] {
                request.respond_header(header, value).expect("it is fine");
            }
            request.query("refused").is_none()
        });
        app.ws("/", |socket, _| _ = socket.send("hello"));
    });
    let origin = "Origin: https://a.example\r\n";
    let mut client = Client::connect_with(server.addr, "/?name=ada", origin);
    assert_eq!(client.text(), "hello", "frames follow the head");
    let added: Vec<(&str, &str)> = (client.answer.headers.iter())
        .map(|(name, value)| (&**name, &**value))
        .filter(|(name, _)| name.starts_with("X-") || *name == "Set-Cookie")
        .collect();
    assert_eq!(
        added,
        [
            ("X-First", "1"),
            ("Set-Cookie", "name=ada; HttpOnly"),
            ("Set-Cookie", "seen=1"),
            ("X-Tab", "a\tb é")
        ]
    );
    let refused = Client::try_connect(server.addr, "/?refused", origin);
    let refused = refused.err().expect("refused");
    assert_eq!(
        (refused.status, refused.header("X-First")),
        (401, None),
        "they are for the 101"
    );
}

#[test]
fn a_header_that_may_not_be_there_is_an_error_that_quotes_it_and_is_not_sent() {
    #[rustfmt::skip]
    let bad = [
        ("Connection", "close",                    "header Connection is written by the library"),
        ("UPGRADE", "h2c",                         "header UPGRADE is written by the library"),
        ("Sec-WebSocket-Accept", "x",              "header Sec-WebSocket-Accept is written by the library"),
        ("Sec-WebSocket-Protocol", "x",            "header Sec-WebSocket-Protocol is written by the library"),
        ("sec-websocket-extensions", "x",          "header sec-websocket-extensions is written by the library"),
        ("Sec-WebSocket-Anything", "x",            "header Sec-WebSocket-Anything is written by the library"),
        ("Transfer-Encoding", "chunked",           "header Transfer-Encoding does not belong into an answer 101"),
        ("Content-Length", "5",                    "header Content-Length does not belong into an answer 101"),
        ("Keep-Alive", "timeout=5",                "header Keep-Alive does not belong into an answer 101"),
        ("Proxy-Connection", "x",                  "header Proxy-Connection does not belong into an answer 101"),
        ("TE", "trailers",                         "header TE does not belong into an answer 101"),
        ("Trailer", "x",                           "header Trailer does not belong into an answer 101"),
        ("", "x",                                  "header name \"\" is not a token"),
        ("X Y", "x",                               "header name \"X Y\" is not a token"),
        ("X:", "x",                                "header name \"X:\" is not a token"),
        ("X\r\nEvil", "x",                         "header name \"X\\r\\nEvil\" is not a token"),
        ("X-Split", "a\r\nX-Evil: yes",            "header X-Split has a control character in its value \"a\\r\\nX-Evil: yes\""),
        ("X-Split", "a\r\n\r\nframes",             "header X-Split has a control character in its value \"a\\r\\n\\r\\nframes\""),
    ];
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve(move |app| {
        app.verify_client(move |request| {
            for (name, value, _) in bad {
                let refused = request.respond_header(name, value);
                noted.note(refused.expect_err("it is refused"));
            }
            true
        });
        app.ws("/", |socket, _| _ = socket.send("hello"));
    });
    let mut client = server.connect("/");
    assert_eq!(client.text(), "hello");
    assert_eq!(journal.lines(), bad.map(|(_, _, problem)| problem));
    let mut names: Vec<&str> = (client.answer.headers.iter())
        .map(|(name, _)| name.as_str())
        .collect();
    names.sort_unstable();
    assert_eq!(names, ["Connection", "Sec-WebSocket-Accept", "Upgrade"]);
}

#[test]
fn where_there_is_no_101_any_more_or_at_all_it_is_an_error() {
    let journal = Journal::default();
    let (late, plain) = (journal.clone(), journal.clone());
    let server = serve(move |app| {
        app.ws("/", move |_, request| {
            late.note(request.respond_header("X-Late", "x").expect_err("late"));
        });
        app.get("/page", move |ctx| {
            let request = ctx.request();
            plain.note(request.respond_header("X-Page", "x").expect_err("plain"));
        });
    });
    assert_eq!(knock(server.addr, "/", ""), 101);
    assert_eq!(
        journal.wait_for(1),
        ["header X-Late comes after the answer 101"]
    );
    let page = http::get(server.addr, "/page");
    assert_eq!((page.status, page.header("X-Page")), (200, None));
    assert_eq!(
        journal.wait_for(2)[1],
        "header X-Page is for an answer 101, but the request asks for no socket"
    );
}
