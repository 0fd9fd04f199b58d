//! Which handler answers: by method, and by the most specific pattern of the path.

use rushwire::{App, Context};

use crate::common::{Server, http, serve};
use crate::{Asker, request};

/// Answers with the name of the route, and what stands in the place of its names.
fn named(route: &'static str, names: &'static [&'static str]) -> impl FnMut(&Context) + 'static {
    move |ctx| {
        let values: Vec<String> = names
            .iter()
            .map(|name| format!("{name}={}", ctx.param(name)))
            .collect();
        ctx.text([&[route.to_owned()], values.as_slice()].concat().join(" "));
    }
}

fn methods(app: &mut App) {
    app.get("/thing", |ctx| ctx.text("GET"))
        .post("/thing", |ctx| ctx.text("POST"))
        .put("/thing", |ctx| ctx.text("PUT"))
        .patch("/thing", |ctx| ctx.text("PATCH"))
        .delete("/thing", |ctx| ctx.text("DELETE"))
        .options("/thing", |ctx| ctx.text("OPTIONS"));
}

#[test]
fn each_method_has_its_own_handler() {
    let server = serve(methods);
    let mut asker = Asker::new(&server);
    for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        let answer = asker.ask(request(method, "/thing"));
        assert_eq!((answer.status, answer.text()), (200, method));
    }
}

#[test]
fn any_answers_all_methods_that_have_no_handler_of_their_own() {
    let server = serve(|app| {
        app.any("/any", |ctx| ctx.text(format!("any {}", ctx.method())));
        app.put("/any", |ctx| ctx.text("put"));
    });
    let mut asker = Asker::new(&server);
    for (method, expected) in [
        ("GET", "any GET"),
        ("POST", "any POST"),
        ("PUT", "put"),
        ("DELETE", "any DELETE"),
        ("OPTIONS", "any OPTIONS"),
        ("TRACE", "any TRACE"),
        ("BREW", "any OTHER"),
        ("get", "any OTHER"),
    ] {
        let answer = asker.ask(request(method, "/any"));
        assert_eq!((answer.status, answer.text()), (200, expected), "{method}");
    }
}

/// RFC 9110 §9.3.2.
#[test]
fn head_is_answered_as_get_but_without_the_body() {
    let server = serve(|app| {
        app.get("/page", |ctx| {
            ctx.header("X-Page", "1").text("twelve bytes");
        });
        app.get("/own", |ctx| ctx.text("get"));
        app.head("/own", |ctx| {
            ctx.header("X-Own", "1").text("longer than get");
        });
        app.any("/any", |ctx| ctx.text(ctx.method().as_str()));
    });
    let mut asker = Asker::new(&server);
    for (path, header, length) in [
        ("/page", "X-Page", "12"),
        ("/own", "X-Own", "15"),
        ("/any", "Date", "4"),
        ("/none", "Date", "10"),
    ] {
        asker.send(request("HEAD", path));
        let answer = asker.head_answer();
        assert_eq!(answer.status, if path == "/none" { 404 } else { 200 });
        assert_eq!(answer.header("Content-Length"), Some(length), "{path}");
        assert!(answer.header(header).is_some(), "{path}");
        // A body would stand before the next answer.
        assert_eq!(
            asker.ask(request("GET", "/page")).text(),
            "twelve bytes",
            "{path}"
        );
    }
}

/// RFC 9110 §10.2.1, §15.5.6.
#[test]
fn a_method_that_a_path_has_not_is_405_with_those_that_it_has() {
    let server = serve(|app| {
        methods(app);
        app.get("/read", |ctx| ctx.text(""))
            .post("/write", |ctx| ctx.text(""))
            .head("/head", |_| {});
        app.ws("/socket", |_, _| {});
        app.ws("/both", |_, _| {}).post("/both", |ctx| ctx.text(""));
    });
    let mut asker = Asker::new(&server);
    let table = [
        ("TRACE", "/thing", "DELETE GET HEAD OPTIONS PATCH POST PUT"),
        ("POST", "/read", "GET HEAD"),
        ("BREW", "/read", "GET HEAD"),
        ("get", "/read", "GET HEAD"),
        ("GET", "/write", "POST"),
        ("OPTIONS", "/write", "POST"),
        ("GET", "/head", "HEAD"),
        ("POST", "/socket", "GET"),
        ("DELETE", "/socket", "GET"),
    ];
    for (method, path, expected) in table {
        let answer = asker.ask(request(method, path));
        assert_eq!(answer.status, 405, "{method} {path}");
        let mut allowed: Vec<&str> = answer.header("Allow").expect("Allow").split(", ").collect();
        allowed.sort_unstable();
        assert_eq!(allowed.join(" "), expected, "{method} {path}");
    }
}

#[test]
fn the_most_specific_pattern_answers() {
    let server = serve(|app| {
        app.get("/", named("root", &[]))
            .get("/*", named("rest", &["*"]))
            .get("/users", named("users", &[]))
            .get("/users/:id", named("user", &["id"]))
            .get("/users/me", named("me", &[]))
            .get("/users/:id/posts/:post", named("post", &["id", "post"]))
            .get("/users/:id/*", named("user's", &["id", "*"]))
            .get("/files/*", named("files", &["*"]))
            .get("/files/a/:name", named("in a", &["name"]))
            .get("/slash/", named("slash", &[]))
            .get("/sp%20ace", named("space", &[]));
    });
    let table = [
        ("/", "root"),
        ("/users", "users"),
        ("/users/me", "me"),
        ("/users/7", "user id=7"),
        ("/users/me/", "user's id=me *="),
        ("/users/7/posts/9", "post id=7 post=9"),
        ("/users/7/posts", "user's id=7 *=posts"),
        ("/users/7/posts/9/more", "user's id=7 *=posts/9/more"),
        ("/users/", "rest *=users/"),
        ("/users/a%2Fb", "user id=a/b"),
        ("/users/%C3%A9%20+", "user id=é +"),
        ("/users/m%65", "me"),
        ("/files/", "files *="),
        ("/files/a", "files *=a"),
        ("/files/a/b", "in a name=b"),
        ("/files/a/b/c", "files *=a/b/c"),
        ("/files//b", "files *=/b"),
        ("/files/%61/b", "in a name=b"),
        ("/files", "rest *=files"),
        ("/slash", "rest *=slash"),
        ("/slash/", "slash"),
        ("/sp%20ace", "space"),
        ("/USERS", "rest *=USERS"),
        ("/users/me?id=8", "me"),
        ("/files/../users", "files *=../users"),
        ("http://elsewhere/users/7?x", "user id=7"),
        ("http://elsewhere", "root"),
    ];
    for (path, expected) in table {
        let answer = http::get(server.addr, path);
        assert_eq!((answer.status, answer.text()), (200, expected), "{path}");
    }
}

#[test]
fn a_path_that_nobody_has_is_404() {
    let server = serve(|app| {
        app.get("/users/:id", named("user", &[]))
            .get("/files/*", named("files", &[]))
            .get("/exact", named("exact", &[]));
    });
    let mut asker = Asker::new(&server);
    for path in [
        "/",
        "/users",
        "/users/",
        "/users/7/",
        "/users/7/8",
        "/files",
        "/exact/",
        "//exact",
        "/Exact",
        "/exact%2F",
        "/ws/",
        "/exact/../exact",
    ] {
        let answer = asker.ask(request("GET", path));
        assert_eq!(answer.status, 404, "{path}");
        assert!(answer.body.starts_with(b"not found"), "{path}");
    }
    for (method, target) in [("OPTIONS", "*"), ("CONNECT", "localhost:80")] {
        assert_eq!(
            asker.ask(request(method, target)).status,
            404,
            "{method} {target}"
        );
    }
}

#[test]
fn a_bad_escape_in_the_path_is_400_whether_or_not_somebody_has_it() {
    let server = serve(|app| {
        app.get("/users/:id", named("user", &["id"]));
    });
    for path in [
        "/users/%",
        "/users/%4",
        "/users/%zz",
        "/users/%ff",
        "/users/%C3",
        "/nobody/%zz",
    ] {
        assert_eq!(http::get(server.addr, path).status, 400, "{path}");
    }
}

#[test]
fn the_query_is_decoded_as_browsers_write_it() {
    let server = serve(|app| {
        app.get("/query", |ctx| {
            let all: Vec<&str> = ctx.request().query_all("a").collect();
            ctx.text(format!("{:?} {all:?}", ctx.query("a")));
        });
    });
    let table = [
        ("", "None []"),
        ("?", "None []"),
        ("?b=1", "None []"),
        ("?a=1", r#"Some("1") ["1"]"#),
        ("?a", r#"Some("") [""]"#),
        ("?a=", r#"Some("") [""]"#),
        ("?a=1&a=2", r#"Some("1") ["1", "2"]"#),
        ("?b=0&&a=x+y%20z", r#"Some("x y z") ["x y z"]"#),
        ("?%61=%C3%A9", r#"Some("é") ["é"]"#),
        ("?a=b=c", r#"Some("b=c") ["b=c"]"#),
        ("?a=1?a=2", r#"Some("1?a=2") ["1?a=2"]"#),
        ("?a=%zz%4", r#"Some("%zz%4") ["%zz%4"]"#),
        ("?a=%ff", "Some(\"\u{FFFD}\") [\"\u{FFFD}\"]"),
        ("?a=1%26b%3D2", r#"Some("1&b=2") ["1&b=2"]"#),
        ("?A=1", "None []"),
    ];
    for (query, expected) in table {
        let answer = http::get(server.addr, &format!("/query{query}"));
        assert_eq!((answer.status, answer.text()), (200, expected), "{query}");
    }
}

#[test]
fn a_handler_sees_all_of_the_request() {
    let server: Server = serve(|app| {
        app.get("/see/:what", |ctx| {
            let request = ctx.request();
            let count = request.headers().count();
            let peer = request.peer_addr().map(|peer| peer.ip().to_string());
            ctx.text(format!(
                "{} {} {} {} {:?} {:?} {count} {peer:?}",
                request.method(),
                request.url(),
                request.path(),
                request.host(),
                request.header("x-one"),
                request.header("X-Two"),
            ));
        });
    });
    let answer = http::request(
        server.addr,
        "GET /see/it?a=b HTTP/1.1\r\nHost: example.org:81\r\nX-ONE:  1 \r\n\r\n",
    );
    assert_eq!(
        answer.text(),
        r#"GET /see/it?a=b /see/it example.org:81 Some("1") None 2 Some("127.0.0.1")"#
    );
}
