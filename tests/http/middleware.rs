//! Middleware around handlers, and before upgrades; what it may do, and what is seen of it.

use rushwire::{App, Context, HttpNext, Refusal, Response};

use crate::common::{Client, Server, http, serve};
use crate::{Asker, Journal, request};

/// Middleware that notes when it is entered and when it is left, and with which status.
fn noting(journal: &Journal, name: &'static str) -> impl FnMut(&Context, HttpNext<'_>) + 'static {
    let journal = journal.clone();
    move |ctx, next| {
        journal.note(format!("{name} in"));
        next.run(ctx);
        journal.note(format!("{name} out {}", ctx.response_status()));
    }
}

fn serve_noting(setup: impl FnOnce(&mut App, &Journal) + Send + 'static) -> (Server, Journal) {
    let journal = Journal::default();
    let noted = journal.clone();
    let server = serve(move |app| setup(app, &noted));
    (server, journal)
}

/// Koa's onion.
#[test]
fn what_follows_next_runs_after_the_handler_in_reverse_order() {
    let (server, journal) = serve_noting(|app, journal| {
        app.middleware(noting(journal, "a"));
        app.middleware(noting(journal, "b"));
        let noted = journal.clone();
        app.route("/")
            .middleware(noting(journal, "c"))
            .middleware(noting(journal, "d"))
            .get(move |ctx| {
                noted.note("handler");
                ctx.status(201).text("made");
            });
    });
    let answer = http::get(server.addr, "/");
    assert_eq!((answer.status, answer.text()), (201, "made"));
    let expected = [
        "a in",
        "b in",
        "c in",
        "d in",
        "handler",
        "d out 201",
        "c out 201",
        "b out 201",
        "a out 201",
    ];
    assert_eq!(journal.lines(), expected);
}

#[test]
fn a_routes_middleware_concerns_what_is_added_behind_it_and_nothing_else() {
    let (server, journal) = serve_noting(|app, journal| {
        app.route("/thing")
            .get(|ctx| ctx.text("read"))
            .middleware(noting(journal, "guard"))
            .put(|ctx| ctx.text("written"))
            .middleware(noting(journal, "second"))
            .delete(|ctx| ctx.text("gone"))
            .any(|ctx| ctx.text("any"));
        app.get("/other", |ctx| ctx.text("other"));
    });
    let mut asker = Asker::new(&server);
    let table: [(&str, &str, &str, &[&str]); 5] = [
        ("GET", "/thing", "read", &[]),
        ("GET", "/other", "other", &[]),
        ("PUT", "/thing", "written", &["guard in", "guard out 200"]),
        (
            "DELETE",
            "/thing",
            "gone",
            &["guard in", "second in", "second out 200", "guard out 200"],
        ),
        (
            "PATCH",
            "/thing",
            "any",
            &["guard in", "second in", "second out 200", "guard out 200"],
        ),
    ];
    for (method, path, text, lines) in table {
        let before = journal.lines().len();
        assert_eq!(asker.ask(request(method, path)).text(), text);
        assert_eq!(journal.lines()[before..], *lines, "{method} {path}");
    }
}

#[test]
fn who_does_not_run_next_ends_the_request_with_its_own_answer_or_403() {
    let server = serve(|app| {
        app.middleware(|ctx, next| match ctx.query("stop") {
            None => next.run(ctx),
            Some("text") => ctx.text("stopped"),
            Some("status") => _ = ctx.status(401),
            Some("response") => ctx.respond(Response::json("{}").with_status(418)),
            Some(_) => _ = ctx.header("X-Stopped", "yes"),
        });
        app.any("/", |ctx| ctx.text("handled"));
    });
    let mut asker = Asker::new(&server);
    for (query, status, text) in [
        ("", 200, "handled"),
        ("?stop=text", 200, "stopped"),
        ("?stop=status", 401, ""),
        ("?stop=response", 418, "{}"),
        ("?stop=silently", 403, "forbidden\n"),
    ] {
        let answer = asker.ask(request("GET", &format!("/{query}")));
        assert_eq!((answer.status, answer.text()), (status, text), "{query}");
    }
    let answer = asker.ask(request("GET", "/?stop=silently"));
    assert_eq!(answer.header("X-Stopped"), Some("yes"));
}

#[test]
fn it_may_change_the_answer_and_read_the_body_the_params_and_values() {
    struct User(String);
    let server = serve(|app| {
        app.middleware(|ctx, next| {
            ctx.set(User(ctx.param("name").to_uppercase()));
            ctx.header("X-Before", "1");
            next.run(ctx);
            ctx.header("X-After", ctx.body().len().to_string());
            if ctx.response_status() == 404 {
                ctx.html("<p>lost?");
            }
        });
        app.post("/hello/:name", |ctx| {
            let user = ctx.data::<User>().expect("it was set");
            ctx.text(user.0.clone());
        });
    });
    let mut asker = Asker::new(&server);
    let post = "POST /hello/ann HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n12345";
    let answer = asker.ask(post);
    assert_eq!((answer.status, answer.text()), (200, "ANN"));
    assert_eq!(
        (answer.header("X-Before"), answer.header("X-After")),
        (Some("1"), Some("5"))
    );
    let lost = asker.ask(request("GET", "/nowhere"));
    assert_eq!((lost.status, lost.text()), (404, "<p>lost?"));
    assert_eq!(
        lost.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
}

#[test]
fn it_sees_what_nobody_answers() {
    let (server, journal) = serve_noting(|app, journal| {
        app.middleware(noting(journal, "a"));
        // What a browser asks before it posts from another page.
        app.middleware(|ctx, next| {
            ctx.header("Access-Control-Allow-Origin", "*");
            match ctx.method().as_str() {
                "OPTIONS" => _ = ctx.status(204),
                _ => next.run(ctx),
            }
        });
        app.post("/thing", |ctx| ctx.text("posted"));
        app.ws("/socket", |_, _| {});
    });
    let mut asker = Asker::new(&server);
    for (method, path, status, allow) in [
        ("OPTIONS", "/thing", 204, None),
        ("GET", "/thing", 405, Some("POST")),
        ("GET", "/nowhere", 404, None),
        ("GET", "/socket", 426, None),
        ("PUT", "/socket", 405, Some("GET")),
        ("GET", "/%zz", 400, None),
    ] {
        let answer = asker.ask(request(method, path));
        assert_eq!(
            (answer.status, answer.header("Allow")),
            (status, allow),
            "{method} {path}"
        );
        assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
        assert_eq!(journal.lines().pop(), Some(format!("a out {status}")));
    }
    let body = "POST /nowhere HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\n";
    let answer = asker.ask(body);
    assert_eq!(
        (answer.status, answer.header("Connection")),
        (404, Some("close"))
    );
    assert_eq!(answer.header("Access-Control-Allow-Origin"), Some("*"));
    asker.expect_end();
}

#[test]
fn a_panic_is_500_to_the_middleware_around_it_which_goes_on() {
    let (server, journal) = serve_noting(|app, journal| {
        let reported = journal.clone();
        app.on_error(move |report| reported.note(&report.message));
        app.middleware(noting(journal, "outer"));
        app.middleware(|ctx, next| {
            ctx.header("X-Kept", "yes");
            assert_ne!(ctx.query("panic"), Some("before"), "before");
            next.run(ctx);
            assert_ne!(ctx.query("panic"), Some("after"), "after");
        });
        app.get("/", |ctx| {
            ctx.header("X-Lost", "yes").text("half an answer");
            let _kept = ctx.query("defer").map(|_| std::mem::forget(ctx.defer()));
            assert_ne!(ctx.query("panic"), Some("handler"), "handler");
        });
    });
    let mut asker = Asker::new(&server);
    for (query, kept) in [
        ("panic=before", None),
        ("panic=handler", Some("yes")),
        ("panic=handler&defer", Some("yes")),
        ("panic=after", None),
    ] {
        let answer = asker.ask(request("GET", &format!("/?{query}")));
        assert_eq!(
            (answer.status, answer.text()),
            (500, "internal server error\n"),
            "{query}"
        );
        assert_eq!(
            (answer.header("X-Kept"), answer.header("X-Lost")),
            (kept, None),
            "{query}"
        );
        let lines = journal.lines();
        let name = query
            .trim_start_matches("panic=")
            .trim_end_matches("&defer");
        assert_eq!(lines.last().map(String::as_str), Some("outer out 500"));
        assert!(
            lines[lines.len() - 2].contains(&format!(": {name}")),
            "{lines:?}"
        );
    }
    assert_eq!(asker.ask(request("GET", "/")).text(), "half an answer");
}

#[test]
fn the_error_handler_dresses_what_no_handler_answers() {
    let (server, journal) = serve_noting(|app, journal| {
        let noted = journal.clone();
        app.error_handler(move |ctx, error| {
            noted.note(error);
            assert_ne!(ctx.query("dress"), Some("panic"), "dressing");
            ctx.header("X-Dressed", "yes");
            ctx.json(format!(r#"{{"status":{}}}"#, error.status()));
            if error.status() == 404 {
                ctx.status(410);
            }
        });
        app.get("/panic", |_| panic!("a secret"));
        app.get("/dropped", |ctx| drop(ctx.defer()));
        app.get("/fine", |ctx| ctx.status(404).text("as the handler says"));
    });
    let mut asker = Asker::new(&server);
    for (method, path, status, error) in [
        ("GET", "/panic", 500, "a secret (500)"),
        (
            "GET",
            "/dropped",
            500,
            "nobody answers any more: the handle was dropped (500)",
        ),
        ("GET", "/nowhere", 410, "not found (404)"),
        ("POST", "/fine", 405, "method not allowed (405)"),
        (
            "GET",
            "/%",
            400,
            "the path has a malformed percent-escape (400)",
        ),
    ] {
        let answer = asker.ask(request(method, path));
        assert_eq!(
            (answer.status, answer.header("X-Dressed")),
            (status, Some("yes")),
            "{path}"
        );
        let asked = if status == 410 { 404 } else { status };
        assert_eq!(answer.text(), format!(r#"{{"status":{asked}}}"#));
        assert_eq!(
            answer.header("Allow"),
            (status == 405).then_some("GET, HEAD")
        );
        assert_eq!(journal.lines().pop().as_deref(), Some(error));
    }
    let fine = asker.ask(request("GET", "/fine"));
    assert_eq!((fine.status, fine.text()), (404, "as the handler says"));
    let undressed = asker.ask(request("GET", "/nowhere?dress=panic"));
    assert_eq!(
        (undressed.status, undressed.text()),
        (500, "internal server error\n")
    );
}

/// Also what an answer of the library's had of its own: `Upgrade`, and its cause.
#[test]
fn a_response_replaces_everything_that_was_said_before() {
    let server = serve(|app| {
        app.middleware(|ctx, next| {
            next.run(ctx);
            if ctx.query("replace").is_some() {
                ctx.respond(Response::text("something else").with_status(410));
            }
        });
        app.ws("/socket", |_, _| {});
    });
    let mut asker = Asker::new(&server);
    let plain = asker.ask(request("GET", "/socket"));
    assert_eq!(
        (plain.status, plain.header("Upgrade")),
        (426, Some("websocket"))
    );
    let replaced = asker.ask(request("GET", "/socket?replace"));
    assert_eq!((replaced.status, replaced.text()), (410, "something else"));
    assert_eq!(
        (replaced.header("Upgrade"), replaced.header("Connection")),
        (None, None)
    );
    let refused = server.ask(|hub| hub.stats().refused);
    let expected = [(Refusal::NoUpgrade, 1), (Refusal::Application, 1)];
    assert_eq!(refused, expected.into());
}

#[test]
fn it_sees_upgrades_and_what_it_adds_is_on_the_101() {
    struct User(&'static str);
    let (server, journal) = serve_noting(|app, journal| {
        app.middleware(noting(journal, "a"));
        app.middleware(|ctx, next| {
            assert!(ctx.is_websocket());
            ctx.set(User("ann"));
            ctx.header("Set-Cookie", "seen=1");
            next.run(ctx);
        });
        let noted = journal.clone();
        app.route("/chat/:room")
            .middleware(noting(journal, "own"))
            .ws_use(move |_, _, next| {
                noted.note("socket middleware");
                next.run();
            })
            .ws(|socket, request| {
                let user = socket.data::<User>().expect("carried over");
                socket.send(format!("{} in {}", user.0, request.param("room")).as_str());
            });
        app.ws("/other", |_, _| {});
    });
    let mut client = Client::connect(server.addr, "/chat/a");
    assert_eq!(client.answer.header("Set-Cookie"), Some("seen=1"));
    assert_eq!(client.text(), "ann in a");
    let expected = [
        "a in",
        "own in",
        "own out 200",
        "a out 200",
        "socket middleware",
    ];
    assert_eq!(journal.lines(), expected);
    Client::connect(server.addr, "/other");
    assert_eq!(journal.lines()[5..], ["a in", "a out 200"]);
}

#[test]
fn it_may_refuse_upgrades_and_then_nothing_behind_it_runs() {
    let (server, journal) = serve_noting(|app, journal| {
        let reported = journal.clone();
        app.on_error(move |report| reported.note(&report.message));
        app.middleware(|ctx, next| match ctx.query("how") {
            Some("silently") => {}
            Some("status") => _ = ctx.status(402),
            Some("answer") => {
                ctx.respond(Response::text("no").with_status(418).header("X-Why", "tea"))
            }
            Some("late") => {
                let answer = ctx.defer();
                std::thread::spawn(move || answer.respond(Response::text("late").with_status(451)));
            }
            Some("panic") => panic!("on purpose"),
            Some("header") => {
                ctx.header("Sec-WebSocket-Accept", "forged");
                next.run(ctx);
            }
            Some("afterwards") => {
                next.run(ctx);
                ctx.status(409).text("changed my mind");
            }
            _ => next.run(ctx),
        });
        let noted = journal.clone();
        app.verify_client(move |_| {
            noted.note("verified");
            true
        });
        app.ws("/", |socket, _| _ = socket.send("in"));
    });
    for (how, status, text) in [
        ("silently", 403, "forbidden\n"),
        ("status", 402, ""),
        ("answer", 418, "no"),
        ("late", 451, "late"),
        ("panic", 500, "internal server error\n"),
        ("header", 500, "internal server error\n"),
        ("afterwards", 409, "changed my mind"),
    ] {
        let refused = Client::try_connect(server.addr, &format!("/?how={how}"), "")
            .err()
            .expect(how);
        assert_eq!((refused.status, refused.text()), (status, text), "{how}");
        assert_eq!(refused.header("Connection"), Some("close"), "{how}");
    }
    let lines = journal.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].contains("on purpose") && lines[1].contains("Sec-WebSocket-Accept"),
        "{lines:?}"
    );
    assert_eq!(Client::connect(server.addr, "/").text(), "in");
    assert_eq!(journal.lines()[2..], ["verified"]);
}

/// The order of the opening handshake: what is wrong with the request itself comes first.
#[test]
fn upgrades_that_are_refused_before_it_do_not_reach_it() {
    let (server, journal) = serve_noting(|app, journal| {
        app.middleware(noting(journal, "a"));
        app.allow_origin_if(|origin, _| origin == "https://a.example");
        app.ws("/", |_, _| {});
    });
    let good = "Origin: https://a.example\r\n";
    for (path, headers, status) in [("/nowhere", good, 404), ("/", "", 403), ("/%", good, 400)] {
        assert_eq!(
            crate::common::knock(server.addr, path, headers),
            status,
            "{path} {headers}"
        );
    }
    assert!(journal.lines().is_empty());
    Client::connect_with(server.addr, "/", good);
    assert_eq!(journal.lines().len(), 2);
}

#[test]
fn a_duplicate_on_a_route_is_quoted_when_binding() {
    let mut app = App::new();
    app.route("/a/:x")
        .get(|_| {})
        .get(|_| {})
        .ws(|_, _| {})
        .ws(|_, _| {});
    app.route("bad")
        .middleware(|ctx, next| next.run(ctx))
        .post(|_| {});
    let error = app.bind("127.0.0.1:0").expect_err("refused").to_string();
    for quoted in ["route GET \"/a/:x\"", "socket route \"/a/:x\"", "\"bad\""] {
        assert!(error.contains(quoted), "{quoted}: {error}");
    }
}
