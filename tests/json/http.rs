//! JSON in HTTP requests and answers.

use std::collections::BTreeMap;

use rushwire::{App, Json};
use serde::{Deserialize, Serialize};

use crate::common::http;
use crate::common::log::log;
use crate::common::serve;
use crate::report_to;

#[derive(Deserialize, Serialize)]
struct Order<'a> {
    item: &'a str,
    count: u32,
}

fn orders(app: &mut App) {
    app.post("/orders", |ctx| match ctx.body_json::<Order<'_>>() {
        Ok(order) => ctx.status(201).json(Json(&order)),
        Err(error) => ctx.status(400).text(error.to_string()),
    });
    app.get("/unfit", |ctx| {
        ctx.json(Json(&BTreeMap::from([((1, 2), 3)])))
    });
    app.get("/texts", |ctx| {
        let text = String::from("[1]");
        ctx.json("[1]");
        ctx.json(&text);
        ctx.json(text);
    });
}

#[test]
fn a_body_is_read_and_a_value_answered_as_json() {
    let server = serve(orders);
    let table = [
        (
            r#"{"item":"tea","count":2}"#,
            201,
            r#"{"item":"tea","count":2}"#,
        ),
        (
            r#"{"item":"tea"}"#,
            400,
            "missing field `count` at line 1 column 14",
        ),
        ("tea", 400, "expected ident at line 1 column 2"),
    ];
    for (body, status, text) in table {
        let len = body.len();
        let head =
            format!("POST /orders HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len}\r\n\r\n");
        let answer = http::request(server.addr, head + body);
        assert_eq!((answer.status, answer.text()), (status, text));
        let json = (status == 201).then_some("application/json");
        assert_eq!(
            answer
                .header("Content-Type")
                .filter(|it| it.ends_with("json")),
            json
        );
    }
    assert_eq!(http::get(server.addr, "/texts").text(), "[1]");
}

#[test]
fn a_value_that_does_not_serialize_is_500_and_reported_with_its_type() {
    let (pen, log) = log();
    let server = serve(|app| {
        report_to(app, pen);
        orders(app);
    });
    let answer = http::get(server.addr, "/unfit");
    assert_eq!(
        (answer.status, answer.text()),
        (500, "internal server error\n")
    );
    let report = log.next();
    assert!(
        report.contains("BTreeMap") && report.contains("is not sent"),
        "{report}"
    );
}
