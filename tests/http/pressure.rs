//! Peers that ask and do not read: they wait for themselves only, and cost bounded memory.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::common::{PATIENCE, Server, http, serve};
use crate::{Asker, request};

fn pattern(len: usize) -> Vec<u8> {
    let block: Vec<u8> = (0..=250).collect();
    let mut bytes = block.repeat(len / block.len() + 1);
    bytes.truncate(len);
    bytes
}

#[test]
fn an_answer_larger_than_all_buffers_reaches_a_slow_reader_and_holds_up_nobody() {
    const LARGE: usize = 24 * 1024 * 1024;
    let server = serve(|app| {
        app.get("/large", |ctx| ctx.bytes("application/x", pattern(LARGE)));
        app.get("/small", |ctx| ctx.text("small"));
    });
    let mut slow = Asker::new(&server);
    slow.send([request("GET", "/large"), request("GET", "/small")].concat());
    for _ in 0..50 {
        assert_eq!(http::get(server.addr, "/small").text(), "small");
    }
    let mut other = Asker::new(&server);
    assert!(
        other.ask(request("GET", "/large")).body == pattern(LARGE),
        "another is served meanwhile"
    );
    assert!(slow.answer().body == pattern(LARGE), "it comes as it was");
    assert_eq!(slow.answer().text(), "small");
}

/// Sends requests until the server takes no more and answers no more, `most` of them at most. Gives
/// how many bytes it took, and of how many.
fn flood(
    server: &Server,
    asker: &mut Asker,
    request: &[u8],
    most: usize,
    handled: &AtomicUsize,
) -> (usize, usize) {
    asker
        .stream
        .set_write_timeout(Some(Duration::from_millis(100)))
        .expect("set a timeout");
    let all = request.repeat(most);
    let mut sent = 0;
    while sent < all.len() {
        let before = handled.load(Ordering::SeqCst);
        match asker.stream.write(&all[sent..]) {
            Ok(n) => sent += n,
            Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                // A server that had no time yet has had a turn now.
                server.ask(|_| ());
                if handled.load(Ordering::SeqCst) == before {
                    break;
                }
            }
            Err(e) => panic!("{e}"),
        }
    }
    asker
        .stream
        .set_write_timeout(Some(PATIENCE))
        .expect("set a timeout");
    (sent, all.len())
}

/// It may fill the buffers of the kernel, and no more: then its requests are not even read.
#[test]
fn a_peer_that_pipelines_and_never_reads_is_no_longer_read() {
    const ANSWER: usize = 128 * 1024;
    const MOST: usize = 4000;
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    let server = serve(move |app| {
        app.get("/answer", move |ctx| {
            count.fetch_add(1, Ordering::SeqCst);
            ctx.bytes("application/x", pattern(ANSWER));
        });
        app.get("/small", |ctx| ctx.text("small"));
    });
    let mut greedy = Asker::new(&server);
    let request = format!(
        "GET /answer HTTP/1.1\r\nHost: x\r\nX-Pad: {}\r\n\r\n",
        "x".repeat(8000)
    );
    let (sent, all) = flood(&server, &mut greedy, request.as_bytes(), MOST, &handled);
    assert!(sent < all, "the server went on reading");
    // 32 MiB of answers are more than the kernel takes, and far less than was asked for.
    let answered = handled.load(Ordering::SeqCst);
    assert!(
        answered * ANSWER < 32 * 1024 * 1024,
        "{answered} answers wait"
    );
    assert!(
        answered < sent / request.len(),
        "all of {answered} requests were answered"
    );
    assert_eq!(http::get(server.addr, "/small").text(), "small");

    // When it reads again, all that it asked for comes, in order.
    let expected = pattern(ANSWER);
    for _ in 0..sent / request.len() {
        assert!(greedy.answer().body == expected);
    }
    greedy.send(&request.as_bytes()[sent % request.len()..]);
    assert_eq!(greedy.answer().status, 200);
    assert_eq!(greedy.ask(crate::request("GET", "/small")).text(), "small");
}

#[test]
fn a_peer_that_pipelines_small_answers_and_never_reads_is_no_longer_read() {
    const MOST: usize = 600_000;
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    let server = serve(move |app| {
        app.get("/", move |ctx| {
            count.fetch_add(1, Ordering::SeqCst);
            ctx.text("small");
        });
    });
    let mut greedy = Asker::new(&server);
    let (sent, all) = flood(
        &server,
        &mut greedy,
        request("GET", "/").as_bytes(),
        MOST,
        &handled,
    );
    assert!(sent < all, "the server went on reading");
    let answered = handled.load(Ordering::SeqCst);
    server.ask(|_| ());
    assert_eq!(
        handled.load(Ordering::SeqCst),
        answered,
        "nothing goes on while nobody reads"
    );
}

/// The requests are few bytes, and have all been read at once: the answers wait for the reader.
#[test]
fn many_small_requests_for_large_answers_cost_what_the_buffers_hold() {
    const ANSWER: usize = 32 * 1024;
    const COUNT: usize = 1600;
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    let server = serve(move |app| {
        app.get("/:number", move |ctx| {
            count.fetch_add(1, Ordering::SeqCst);
            ctx.text(format!("{:>ANSWER$}", ctx.param("number")));
        });
    });
    let mut greedy = Asker::new(&server);
    let requests: String = (0..COUNT)
        .map(|i| request("GET", &format!("/{i}")))
        .collect();
    assert!(
        requests.len() < 64 * 1024,
        "one read of the server takes them all"
    );
    greedy.send(requests);
    let (mut seen, mut quiet) = (0, 0);
    while quiet < 20 {
        server.ask(|_| ());
        let now = handled.load(Ordering::SeqCst);
        quiet = if now == seen && now > 0 { quiet + 1 } else { 0 };
        seen = now;
    }
    assert!(
        seen * ANSWER < 32 * 1024 * 1024,
        "{seen} of {COUNT} answers wait"
    );
    // With the reader it goes on, beyond what had been answered before.
    for i in 0..seen + 100 {
        assert_eq!(greedy.answer().text().trim_start(), i.to_string());
    }
}
