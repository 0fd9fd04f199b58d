use super::*;

const HOW: Write<'_> = Write {
    head_only: false,
    keep_alive: true,
    http10: false,
    date: "NOW",
};

fn written(response: &Response, how: Write<'_>) -> String {
    let mut out = b"before ".to_vec();
    response.write(&mut out, how);
    let text = String::from_utf8(out).unwrap();
    text.strip_prefix("before ").unwrap().replace("\r\n", "|")
}

#[test]
fn each_kind_of_body_has_its_type() {
    let cases = [
        (Response::text("a"), "text/plain; charset=utf-8"),
        (Response::html("a"), "text/html; charset=utf-8"),
        (Response::json("a"), "application/json"),
        (Response::bytes("image/png", b"a".to_vec()), "image/png"),
    ];
    for (response, expected) in cases {
        let text =
            format!("HTTP/1.1 200 OK|Date: NOW|Content-Type: {expected}|Content-Length: 1||a");
        assert_eq!(written(&response, HOW), text);
        assert_eq!((response.status(), response.body()), (200, b"a".as_slice()));
    }
}

#[test]
fn the_length_and_the_body_stand_where_they_may() {
    let cases = [
        (200, false, "Content-Length: 4||body"),
        (200, true, "Content-Length: 4||"),
        (404, false, "Content-Length: 4||body"),
        (204, false, "|"),
        (304, false, "|"),
        (304, true, "|"),
        (205, false, "Content-Length: 0||"),
        (205, true, "Content-Length: 0||"),
    ];
    for (status, head_only, expected) in cases {
        let response = Response::text("body").with_status(status);
        let text = written(&response, Write { head_only, ..HOW });
        let (_, tail) = text.split_once("charset=utf-8|").unwrap();
        assert_eq!(tail, expected, "{status} {head_only}");
    }
    let empty = "HTTP/1.1 299 |Date: NOW|Content-Length: 0||";
    assert_eq!(written(&Response::new(299), HOW), empty);
}

#[test]
fn the_connection_header_tells_what_happens_next() {
    let cases = [
        (true, false, None, ""),
        (true, true, None, "Connection: keep-alive|"),
        (false, false, None, "Connection: close|"),
        (false, true, None, "Connection: close|"),
        (
            true,
            false,
            Some("websocket"),
            "Upgrade: websocket|Connection: upgrade|",
        ),
        (
            false,
            false,
            Some("websocket"),
            "Upgrade: websocket|Connection: upgrade, close|",
        ),
    ];
    for (keep_alive, http10, upgrade, expected) in cases {
        let mut response = Response::new(426);
        if let Some(protocol) = upgrade {
            response = response.with_upgrade(protocol);
        }
        let how = Write {
            keep_alive,
            http10,
            ..HOW
        };
        let text = format!("HTTP/1.1 426 Upgrade Required|Date: NOW|{expected}Content-Length: 0||");
        assert_eq!(written(&response, how), text);
    }
}

#[test]
fn headers_keep_their_order_and_only_the_content_type_is_replaced() {
    let response = Response::text("a")
        .header("Set-Cookie", "a=1")
        .header("content-type", "text/csv")
        .header("Set-Cookie", "b=2");
    let headers: Vec<_> = response.headers().collect();
    let expected = [
        ("Set-Cookie", "a=1"),
        ("content-type", "text/csv"),
        ("Set-Cookie", "b=2"),
    ];
    assert_eq!(headers, expected);
}

#[test]
fn what_cannot_be_written_is_remembered_and_never_written() {
    let cases = [
        ("a\r\nb", "c", "header name \"a\\r\\nb\" is not a token"),
        ("", "c", "header name \"\" is not a token"),
        (
            "a",
            "b\r\nSet-Cookie: c",
            "header a has a control character in its value \
            \"b\\r\\nSet-Cookie: c\"",
        ),
        (
            "a",
            "b\0",
            "header a has a control character in its value \"b\\0\"",
        ),
        (
            "Content-Length",
            "9",
            "header Content-Length is written by the library",
        ),
        (
            "transfer-ENCODING",
            "chunked",
            "header transfer-ENCODING is written by the library",
        ),
        (
            "Connection",
            "close",
            "header Connection is written by the library",
        ),
        ("date", "now", "header date is written by the library"),
        ("Upgrade", "h2c", "header Upgrade is written by the library"),
    ];
    for (name, value, expected) in cases {
        let response = Response::text("a")
            .header(name, value)
            .header("b\n", "later");
        let offence = response.offence().map(ToString::to_string);
        assert_eq!(offence.as_deref(), Some(expected));
        assert_eq!(written(&response, HOW), written(&Response::text("a"), HOW));
    }
    let typed = Response::bytes("text/plain\r\n", Vec::new());
    assert!(typed.offence().is_some() && typed.headers().count() == 0);
}

#[test]
fn a_status_that_does_not_exist_is_an_offence() {
    // 1xx is no answer: one would still be waited for (RFC 9110 §15.2).
    for status in [0, 99, 100, 101, 199, 600, 1000, u16::MAX] {
        let response = Response::new(status);
        let text = response.offence().map(ToString::to_string);
        assert_eq!(text, Some(format!("status {status} is not in 200..=599")));
        assert_eq!(response.status(), 500);
        assert!(Response::text("").with_status(status).offence().is_some());
    }
    for status in [200, 599] {
        assert_eq!(Response::new(status).status(), status);
        assert!(Response::new(status).offence().is_none());
    }
}
