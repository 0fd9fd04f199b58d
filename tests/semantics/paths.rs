//! 1. Paths: which endpoints are open, and which route answers.

use crate::common::{Client, Server, serve, serve_with};
use crate::{Journal, knock};
use rushwire::Options;

fn serve_paths(paths: &[&'static str], routes: &[&'static str]) -> Server {
    let (paths, routes): (Vec<String>, Vec<&str>) = (
        paths.iter().map(|path| (*path).to_owned()).collect(),
        routes.to_vec(),
    );
    serve_with(
        move || Options {
            paths,
            ..Options::default()
        },
        move |app| {
            for route in routes {
                app.ws(route, |_, _| {});
            }
        },
    )
}

#[test]
fn open_endpoints_are_the_union_of_routes_and_paths() {
    type Row = (
        &'static str,
        &'static [&'static str],
        &'static [&'static str],
        &'static [(&'static str, u16)],
    );
    #[rustfmt::skip]
    let table: [Row; 6] = [
        ("nothing is set",      &[],                 &[],        &[("/ws", 101), ("/", 404), ("/ws/", 404), ("/chat", 404)]),
        ("a route alone",       &[],                 &["/chat"], &[("/chat", 101), ("/ws", 404)]),
        ("a path alone",        &["/push"],          &[],        &[("/push", 101), ("/ws", 404)]),
        ("a path and a route",  &["/push"],          &["/chat"], &[("/push", 101), ("/chat", 101), ("/ws", 404)]),
        ("the same twice",      &["/chat", "/chat"], &["/chat"], &[("/chat", 101), ("/ws", 404)]),
        ("the default by name", &["/ws"],            &["/chat"], &[("/ws", 101), ("/chat", 101)]),
    ];
    for (name, paths, routes, probes) in table {
        let server = serve_paths(paths, routes);
        for (path, expected) in probes {
            assert_eq!(knock(server.addr, path, ""), *expected, "{name}: {path}");
        }
    }
}

#[test]
fn an_http_route_does_not_close_the_default_path() {
    let server = serve(|app| {
        app.get("/", |ctx| ctx.text("hello"));
    });
    assert_eq!(knock(server.addr, "/ws", ""), 101);
}

#[test]
fn the_query_is_no_part_of_the_path() {
    let server = serve_paths(&[], &["/chat"]);
    for path in ["/chat?", "/chat?a=/b", "/chat?x=%", "/chat?a?b"] {
        assert_eq!(knock(server.addr, path, ""), 101, "{path}");
    }
}

#[test]
fn a_path_without_a_route_is_for_pushing_only() {
    let journal = Journal::default();
    let noted = journal.clone();
    let options = || Options {
        paths: vec!["/push/:topic".into()],
        ..Options::default()
    };
    let server = serve_with(options, move |app| {
        app.ws_use(move |_, request, next| {
            noted.note(format!("middleware {}", request.param("topic")));
            next.run();
        });
        app.ws("/chat", |_, _| {});
    });
    let mut client = server.connect("/push/news");
    server.wait_until("it is open", |hub| hub.len() == 1);
    assert_eq!(journal.lines(), ["middleware news"]);
    client.send("nobody listens");
    client.send_frame(true, 0, crate::common::client::PING, b"still there");
    assert_eq!(client.next().expect("a pong").payload, b"still there");
    assert_eq!(server.ask(|hub| hub.ws_broadcast("to all", None)), 1);
    assert_eq!(client.text(), "to all");
}

#[test]
fn a_path_that_names_a_route_is_that_route() {
    let options = || Options {
        paths: vec!["/chat".into(), "/rooms/:id".into()],
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        app.ws("/chat", |socket, _| _ = socket.send("chat"));
        app.ws("/rooms/:name", |socket, request| {
            _ = socket.send(request.param("name"))
        });
    });
    assert_eq!(server.connect("/chat").text(), "chat");
    assert_eq!(server.connect("/rooms/7").text(), "7");
}

/// Each route says which it is, and what it took for its names.
fn serve_routes(routes: &'static [&'static str]) -> Server {
    serve(move |app| {
        for route in routes {
            app.ws(route, move |socket, request| {
                let names = ["x", "y", "*"].map(|name| format!(" {name}={}", request.param(name)));
                socket.send(&format!("{route}{}", names.concat()));
            });
        }
    })
}

#[test]
fn the_most_specific_route_wins_whatever_the_order_of_registration() {
    #[rustfmt::skip]
    let table = [
        ("/a/b",         "/a/b x= y= *="),
        ("/%61/%62",     "/a/b x= y= *="),
        ("/a/b?q=/c",    "/a/b x= y= *="),
        ("/a/c",         "/a/:y x= y=c *="),
        ("/z/c",         "/:x/:y x=z y=c *="),
        ("/a",           "/:x x=a y= *="),
        ("/a/b/c",       "/a/* x= y= *=b/c"),
        ("/a/",          "/a/* x= y= *="),
        ("/a//",         "/a/* x= y= *=/"),
        ("/z/b/c",       "/* x= y= *=z/b/c"),
        ("/",            "/* x= y= *="),
        ("/z/",          "/* x= y= *=z/"),
        ("//",           "/* x= y= *=/"),
        ("/a/x%2Fy",     "/a/:y x= y=x/y *="),
        ("/a/%C3%A9",    "/a/:y x= y=é *="),
        ("/a/1+1%20%25", "/a/:y x= y=1+1 % *="),
        ("/a/%2E%2E",    "/a/:y x= y=.. *="),
        ("/a/b/%C3%A9/", "/a/* x= y= *=b/é/"),
        ("/end/x",       "/:x/:y x=end y=x *="),
        ("/end/x/last",  "/end/:x/last x=x y= *="),
        ("/end/x/other", "/* x= y= *=end/x/other"),
    ];
    let server = serve_routes(&[
        "/*",
        "/a/*",
        "/:x",
        "/:x/:y",
        "/a/:y",
        "/a/b",
        "/end/:x/last",
    ]);
    for (path, expected) in table {
        assert_eq!(server.connect(path).text(), expected, "{path}");
    }
}

#[test]
fn segments_match_whole_and_slashes_count() {
    #[rustfmt::skip]
    let table: [(&str, &[&str], &[&str]); 5] = [
        ("/chat/*",     &["/chat/", "/chat/a", "/chat/a/b/c", "/chat//"], &["/chat", "/chat2", "/cha/t", "/", "/Chat/a"]),
        ("/plain",      &["/plain", "/%70lain"],                          &["/plain/", "/plain/x", "//plain", "/PLAIN", "/plai"]),
        ("/slash/",     &["/slash/"],                                     &["/slash", "/slash//", "/slash/x"]),
        ("/rooms/:id",  &["/rooms/1", "/rooms/a%2Fb", "/rooms/:id"],      &["/rooms", "/rooms/", "/rooms/1/", "/rooms/1/2", "/rooms//1"]),
        ("/g/:x/p/:y",  &["/g/1/p/2"],                                    &["/g//p/2", "/g/1/p/", "/g/1/q/2", "/g/1/p/2/3"]),
    ];
    for (route, open, closed) in table {
        let server = serve_paths(&[], &[route]);
        for path in open {
            assert_eq!(knock(server.addr, path, ""), 101, "{path} against {route}");
        }
        for path in closed {
            assert_eq!(knock(server.addr, path, ""), 404, "{path} against {route}");
        }
    }
}

#[test]
fn a_bad_percent_escape_is_answered_with_400_wherever_it_stands() {
    let server = serve_paths(&[], &["/rooms/:id", "/files/*"]);
    for path in [
        "/%",
        "/%4",
        "/%zz",
        "/rooms/%",
        "/rooms/%2",
        "/rooms/a%gg",
        "/files/a/%f/b",
        "/nowhere/%-1",
        "/rooms/%ff",
        "/files/%C3%28",
    ] {
        assert_eq!(knock(server.addr, path, ""), 400, "{path}");
    }
}

/// D12: a wildcard path beside a route let sockets in past the middleware, authentication included.
#[test]
fn a_wildcard_path_beside_a_route_skips_no_middleware() {
    let options = || Options {
        paths: vec!["/chat/*".into()],
        ..Options::default()
    };
    let server = serve_with(options, |app| {
        app.ws_use(|_, request, next| {
            if request.query("token") == Some("secret") {
                next.run();
            }
        });
        app.ws("/chat/:room", |_, _| {});
    });
    for path in ["/chat/a", "/chat/a/b", "/chat/"] {
        let mut stranger = server.connect(path);
        stranger.expect_close(1008);
        let _friend: Client = server.connect(&format!("{path}?token=secret"));
        server.wait_until("the friend is in", |hub| hub.len() == 1);
        drop(_friend);
        server.wait_until("the friend is gone", |hub| hub.is_empty());
    }
}
