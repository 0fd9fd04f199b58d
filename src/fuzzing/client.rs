//! A whole connection of a client, from its request to its end, over a network in memory: whatever the
//! server says, what goes out is one request and masked frames, a socket hears what was sent and ends once,
//! what was accepted is sent or told of, and nothing is left.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::sockets::{END, Heard, Script, check_frames};
use super::texts::check_line;
use crate::http::{Limits, ResponseParser};
use crate::proto::decoder::Role;
use crate::proto::handshake::{accept_key, write_accept};
use crate::proto::naive::{Owned, decode};
use crate::testing::{self, TestServer};
use crate::{Answer, App, ConnectOptions, Connection, Reconnect, SendStatus, Socket};

/// Stands for the right `Sec-WebSocket-Accept` in an input that is the whole answer.
const ACCEPT: &[u8] = b"<accept>";
/// What is sent before there is a connection.
const KEPT: [&str; 2] = ["kept", "for later"];

/// What the client's head may have.
const ANSWER: Limits = Limits {
    max_head: 16 * 1024,
    max_fields: 100,
};

/// What was told of failures.
#[derive(Default)]
struct Told {
    lines: RefCell<Vec<String>>,
    unsent: Cell<usize>,
}

/// Plays the server of one connection. The first bytes choose how the network is, how it ends, whether
/// the rest comes behind the right answer, whether it is tried again, and whether it is a seed of
/// something large.
///
/// # Panics
///
/// When a promise of the client is broken.
pub fn client(data: &[u8]) {
    let mut script = Script::read(data);
    let (heard, told) = (Rc::<Heard>::default(), Rc::<Told>::default());
    let (test, connection) = connecting(&script, &heard, &told);
    test.set_window(script.window);
    let dialed = test.dialed().expect("it connects");
    let key = dialed.header("sec-websocket-key").unwrap_or_default();
    let accept = accept_key(key);
    let answer = answer(&mut script, key);
    let mut server = dialed.connection();
    server.send(&answer);
    let mut came = server.recv();
    came.extend(script.talk(&test, &mut server));
    let go: fn(testing::Connection) = match script.how >> 6 {
        0 => {
            server.finish();
            drop
        }
        1 => drop,
        2 => testing::Connection::reset,
        _ => testing::Connection::vanish,
    };
    if script.how >> 6 < 2 {
        test.clock().advance(END);
        came.extend(server.recv());
        assert!(server.is_ended(), "it goes on after its time");
        let said = [&answer[..], &script.input].concat();
        let frames = check_frames(Role::Server, &came);
        let is_open = heard.opened.get() > 0;
        assert!(is_open || came.is_empty(), "nobody has said 101");
        assert!(is_open || !script.opens(), "it was the right answer");
        let knows = said.windows(accept.len()).any(|it| it == accept);
        assert!(knows || !is_open, "without the key nobody gets in");
        check_heard(&said, &script, &heard);
        check_kept(frames, &connection, &heard, &told);
    }
    go(server);
    end(&test, &connection, &heard, &told);
}

/// A server with nothing but a connection to somewhere, for which a message or two wait.
fn connecting(script: &Script, heard: &Rc<Heard>, told: &Rc<Told>) -> (TestServer, Connection) {
    let app = App::with(script.options());
    let options = ConnectOptions {
        reconnect: (script.how & 8 == 8).then(|| Reconnect {
            attempts: 2,
            ..Reconnect::default()
        }),
        subprotocols: vec!["v1".to_owned()],
        ..ConnectOptions::default()
    };
    let sockets = Rc::clone(heard);
    let welcome = move |socket: &Socket, _: &Answer| sockets.welcome(socket);
    let connection = app.hub().connect("ws://server/", options, welcome);
    let connection = connection.expect("it is a URL");
    let telling = Rc::clone(told);
    connection.on_error(move |failed| {
        telling.lines.borrow_mut().push(failed.error.to_string());
        telling.unsent.set(telling.unsent.get() + failed.unsent);
    });
    for message in KEPT {
        assert_eq!(connection.send(message), SendStatus::Queued);
    }
    let test = TestServer::new(app).expect("nothing is wrong with it");
    (test, connection)
}

/// The answer that is right, if what is said comes behind it; else it is a part of that, which gets what
/// only the right one has.
fn answer(script: &mut Script, key: &str) -> Vec<u8> {
    let mut answer = Vec::new();
    if script.opens() {
        write_accept(&mut answer, key, None, std::iter::empty());
        return answer;
    }
    let mut places = script.input.windows(ACCEPT.len());
    if let Some(place) = places.position(|it| it == ACCEPT) {
        let range = place..place + ACCEPT.len();
        script.input.splice(range, accept_key(key));
    }
    answer
}

/// If there was a socket, it heard what is behind the 101.
fn check_heard(said: &[u8], script: &Script, heard: &Heard) {
    if heard.opened.get() == 0 {
        return;
    }
    let mut rest = said;
    loop {
        let progress = ResponseParser::new(ANSWER).push(rest);
        let progress = progress.expect("it was understood");
        rest = rest.get(progress.used..).unwrap_or_default();
        if progress.head.expect("a whole head").status() == 101 {
            break;
        }
    }
    let (sent, _) = decode(Role::Client, script.scale.message, rest);
    heard.check(sent, script.is_calm());
}

/// What was kept came in its order and first, or is told of, or waits for the next connection.
fn check_kept(frames: Vec<Owned>, connection: &Connection, heard: &Heard, told: &Told) {
    let texts = frames.into_iter().filter_map(|frame| match frame {
        Owned::Text(text) if KEPT.contains(&text.as_str()) => Some(text),
        _ => None,
    });
    let sent = texts.take(KEPT.len()).collect::<Vec<_>>();
    assert!(KEPT.iter().zip(&sent).all(|(kept, sent)| kept == sent));
    let known = sent.len() + told.unsent.get() + connection.unsent();
    assert!(known + heard.undelivered.get() >= KEPT.len(), "one is lost");
}

/// Who is tried again finds nobody; then nothing is left.
fn end(test: &TestServer, connection: &Connection, heard: &Heard, told: &Told) {
    for _ in 0..4 {
        drop(test.dialed());
        test.clock().advance(END);
    }
    assert!(connection.is_over(), "nobody is there");
    assert_eq!(connection.unsent(), 0);
    for line in told.lines.borrow().iter() {
        check_line(line, 1000);
    }
    heard.check_end(test);
}

#[cfg(test)]
mod tests {
    use super::super::noise::{run_frames, run_noise, run_seeds};
    use super::client;

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn the_seeds_break_no_promise() {
        run_seeds("client", client);
    }

    #[test]
    fn noise_breaks_no_promise() {
        run_noise(200, 200, client);
    }

    #[test]
    fn frames_that_tell_the_socket_what_to_do_break_no_promise() {
        run_frames(false, client);
    }
}
