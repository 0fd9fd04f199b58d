//! What a handler can answer, and what it cannot: an answer that cannot be written, or a handler that
//! panics, is a 500 that is reported, and the server goes on.

use std::sync::mpsc;

use rushwire::Response;

use crate::common::{PATIENCE, http, serve};
use crate::{Asker, request};

#[test]
fn status_headers_and_body_are_those_of_the_handler() {
    let server = serve(|app| {
        app.get("/nothing", |_| {})
            .get("/text", |ctx| ctx.text("text é"))
            .get("/html", |ctx| ctx.html("<p>html"))
            .get("/json", |ctx| ctx.json("{}"))
            .get("/bytes", |ctx| ctx.bytes("image/x-none", [0, 255, 13, 10]))
            .get("/teapot", |ctx| ctx.status(418).text("teapot"))
            .get("/late", |ctx| {
                ctx.text("late");
                ctx.status(201).header("X-Late", "1");
            })
            .get("/respond", |ctx| {
                ctx.status(400).header("X-Gone", "1").text("gone");
                ctx.respond(Response::json("[]").with_status(202).header("X-Here", "1"));
            })
            .get("/redirect", |ctx| ctx.redirect("/else?where"))
            .get("/moved", |ctx| {
                ctx.status(308).redirect("https://example.org/")
            })
            .get("/own-type", |ctx| {
                ctx.header("Content-Type", "text/css").text("b{}")
            });
    });
    let mut asker = Asker::new(&server);
    let table = [
        ("/nothing", 200, "Content-Length", "0", &b""[..]),
        (
            "/text",
            200,
            "Content-Type",
            "text/plain; charset=utf-8",
            "text é".as_bytes(),
        ),
        (
            "/html",
            200,
            "Content-Type",
            "text/html; charset=utf-8",
            b"<p>html",
        ),
        ("/json", 200, "Content-Type", "application/json", b"{}"),
        (
            "/bytes",
            200,
            "Content-Type",
            "image/x-none",
            &[0, 255, 13, 10],
        ),
        ("/teapot", 418, "Content-Length", "6", b"teapot"),
        ("/late", 201, "X-Late", "1", b"late"),
        ("/respond", 202, "X-Here", "1", b"[]"),
        ("/redirect", 302, "Location", "/else?where", b""),
        ("/moved", 308, "Location", "https://example.org/", b""),
        ("/own-type", 200, "Content-Type", "text/css", b"b{}"),
    ];
    for (path, status, name, value, body) in table {
        let answer = asker.ask(request("GET", path));
        assert_eq!(
            (answer.status, answer.header(name)),
            (status, Some(value)),
            "{path}"
        );
        assert_eq!(answer.body, body, "{path}");
        assert_eq!(answer.header("X-Gone"), None, "{path}");
    }
}

/// RFC 9110 §6.6.1, §8.6, §15.3.5, §15.4.5: answers that have no body have no length either.
#[test]
fn answers_without_a_body_are_framed_as_such() {
    let server = serve(|app| {
        app.get("/204", |ctx| ctx.status(204).text("never sent"))
            .get("/304", |ctx| ctx.status(304).text("never sent"))
            .get("/205", |ctx| ctx.status(205).text("never sent"))
            .get("/200", |ctx| ctx.text("sent"));
    });
    let mut asker = Asker::new(&server);
    for (path, length) in [("/204", None), ("/304", None), ("/205", Some("0"))] {
        let answer = asker.ask(request("GET", path));
        assert_eq!(answer.header("Content-Length"), length, "{path}");
        assert_eq!(answer.header("Transfer-Encoding"), None, "{path}");
        assert_eq!(
            asker.ask(request("GET", "/200")).text(),
            "sent",
            "behind {path}"
        );
    }
}

/// RFC 9110 §5.6.7, §6.6.1.
#[test]
fn every_answer_has_a_date() {
    let server = serve(|app| {
        app.get("/", |ctx| ctx.text("dated"));
    });
    for path in ["/", "/unknown"] {
        let answer = http::get(server.addr, path);
        let date = answer.header("Date").expect("a date");
        let parts: Vec<&str> = date.split([' ', ':']).collect();
        let [day, number, month, year, hour, minute, second, zone] = parts[..] else {
            panic!("{date}")
        };
        assert!(
            ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"].contains(&day),
            "{date}"
        );
        assert!(
            "JanFebMarAprMayJunJulAugSepOctNovDec".contains(month) && month.len() == 3,
            "{date}"
        );
        assert!(
            year.len() == 4 && year.parse::<u32>().is_ok_and(|year| year >= 2024),
            "{date}"
        );
        let two = [number, hour, minute, second];
        assert!(
            two.iter()
                .all(|part| part.len() == 2 && part.parse::<u8>().is_ok()),
            "{date}"
        );
        assert_eq!(zone, "GMT");
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_500_and_reported() {
    let (teller, reports) = mpsc::channel();
    let server = serve(move |app| {
        app.on_error(move |report| drop(teller.send(report.message.clone())));
        app.get("/good", |ctx| ctx.text("good"))
            .get("/crlf", |ctx| {
                ctx.header("X-A", "a\r\nSet-Cookie: evil=1").text("x")
            })
            .get("/lf", |ctx| {
                ctx.header("X-B", "b\nSet-Cookie: evil=1").text("x")
            })
            .get("/cr", |ctx| ctx.header("X-C", "c\rd").text("x"))
            .get("/nul", |ctx| ctx.header("X-D", "d\0").text("x"))
            .get("/name", |ctx| ctx.header("X E", "e").text("x"))
            .get("/name-crlf", |ctx| ctx.header("X: y\r\nX-F", "f").text("x"))
            .get("/empty-name", |ctx| ctx.header("", "g").text("x"))
            .get("/location", |ctx| {
                ctx.redirect(&format!("/{}", ctx.query("to").unwrap_or_default()))
            })
            .get("/type", |ctx| ctx.bytes("text/html\r\nX-H: h", "x"))
            .get("/length", |ctx| ctx.header("Content-Length", "3").text("x"))
            .get("/encoding", |ctx| {
                ctx.header("transfer-encoding", "chunked").text("x")
            })
            .get("/connection", |ctx| {
                ctx.header("Connection", "upgrade").text("x")
            })
            .get("/date", |ctx| ctx.header("Date", "today").text("x"))
            .get("/upgrade", |ctx| ctx.header("Upgrade", "h2c").text("x"))
            .get("/status-0", |ctx| ctx.status(0).text("x"))
            .get("/status-99", |ctx| ctx.status(99).text("x"))
            .get("/status-600", |ctx| ctx.status(600).text("x"))
            .get("/respond", |ctx| {
                ctx.respond(Response::text("x").header("X-I", "\u{7F}"))
            });
    });
    let table = [
        ("/crlf", "X-A"),
        ("/lf", "X-B"),
        ("/cr", "X-C"),
        ("/nul", "X-D"),
        ("/name", "X E"),
        ("/name-crlf", "X-F"),
        ("/empty-name", "\"\""),
        ("/location?to=%0D%0ASet-Cookie:%20evil=1", "Location"),
        ("/type", "Content-Type"),
        ("/length", "Content-Length"),
        ("/encoding", "transfer-encoding"),
        ("/connection", "Connection"),
        ("/date", "Date"),
        ("/upgrade", "Upgrade"),
        ("/status-0", "0"),
        ("/status-99", "99"),
        ("/status-600", "600"),
        ("/respond", "X-I"),
    ];
    for (path, quoted) in table {
        let mut asker = Asker::new(&server);
        let answer = asker.ask(request("GET", path));
        assert_eq!(
            (answer.status, answer.text()),
            (500, "internal server error\n"),
            "{path}"
        );
        assert!(answer.header("Set-Cookie").is_none(), "{path}");
        let report = reports.recv_timeout(PATIENCE).expect("a report");
        assert!(report.contains(quoted), "{path}: {report}");
        assert_eq!(
            asker.ask(request("GET", "/good")).text(),
            "good",
            "behind {path}"
        );
    }
    assert!(reports.try_recv().is_err(), "one report for each");
}

#[test]
fn a_panic_in_a_handler_is_500_and_reported_and_the_server_goes_on() {
    let (teller, reports) = mpsc::channel();
    let server = serve(move |app| {
        app.on_error(move |report| drop(teller.send(report.message.clone())));
        let mut calls = 0;
        app.get("/panic", move |ctx| {
            calls += 1;
            ctx.status(200).header("X-Half", "1").text("half an answer");
            assert!(calls % 2 == 0, "call {calls} went wrong");
        });
        app.get("/good", |ctx| ctx.text("good"));
    });
    let mut asker = Asker::new(&server);
    for call in 1..=6 {
        let answer = asker.ask(request("GET", "/panic"));
        assert_eq!(asker.ask(request("GET", "/good")).text(), "good");
        if call % 2 == 0 {
            assert_eq!(answer.text(), "half an answer");
            continue;
        }
        assert_eq!(
            (answer.status, answer.header("X-Half")),
            (500, None),
            "call {call}"
        );
        let report = reports.recv_timeout(PATIENCE).expect("a report");
        assert!(
            report.contains(&format!("call {call} went wrong")),
            "{report}"
        );
    }
}

#[test]
fn what_an_answer_says_of_the_sockets_is_true() {
    let server = serve(|app| {
        app.ws("/chat/:room", |socket, request| {
            socket.join(request.param("room"));
        });
        app.get("/rooms/:room", |ctx| {
            let count = ctx.hub().room(ctx.param("room")).len();
            ctx.json(format!(r#"{{"connections":{count}}}"#));
        });
        app.post("/say/:room", |ctx| {
            let text = ctx.body_text().unwrap_or_default();
            ctx.text(ctx.hub().to(ctx.param("room")).send(text).to_string());
        });
    });
    let mut members = [server.connect("/chat/a"), server.connect("/chat/a")];
    server.wait_until("both are members", |hub| hub.room("a").len() == 2);
    assert_eq!(
        http::get(server.addr, "/rooms/a").text(),
        r#"{"connections":2}"#
    );
    assert_eq!(
        http::get(server.addr, "/rooms/b").text(),
        r#"{"connections":0}"#
    );
    let say = "POST /say/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    assert_eq!(http::request(server.addr, say).text(), "2");
    for member in &mut members {
        assert_eq!(member.text(), "hello");
    }
}
