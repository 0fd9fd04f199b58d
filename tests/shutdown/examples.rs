//! The examples end by themselves on SIGTERM and SIGINT, with status 0. What those who are signed in hear
//! then is tested with each of them (`sigterm_closes_everyone_with_1001_and_ends_well`).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};

use rushwire::event;

use super::common::client::CLOSE;
use super::common::example::{Example, Program, command};
use super::common::log::log;
use super::common::{Client, PATIENCE, http, serve, wait_for_closed_doors};

const SERVERS: [&str; 6] = [
    "chat",
    "dashboard",
    "echo",
    "game",
    "limits",
    "notifications",
];

/// Runs a program that we talk to.
fn run(mut command: Command) -> Program {
    Program::run(command.stdin(Stdio::piped()).stdout(Stdio::piped()))
}

fn serve_example(name: &str) -> Example {
    let mut command = command(name);
    command.arg("127.0.0.1:0").stderr(Stdio::null());
    Example::run(command)
}

/// An example that has received half of a request.
fn half_asked(name: &str) -> (Example, TcpStream) {
    let program = serve_example(name);
    let mut half = http::connect(program.addr);
    half.write_all(b"GET /nowhere HTTP/1.1\r\nHo")
        .expect("send");
    // It has come: a request behind it is answered.
    assert_eq!(http::get(program.addr, "/nowhere").status, 404, "{name}");
    (program, half)
}

#[test]
fn every_server_ends_well_on_a_signal_and_finishes_what_it_was_asked_for() {
    for name in SERVERS {
        for signal in ["-TERM", "-INT"] {
            println!("{name} {signal}");
            let (mut program, mut half) = half_asked(name);
            program.signal(signal);
            wait_for_closed_doors(program.addr);
            half.write_all(b"st: x\r\n\r\n").expect("send");
            let (answer, _) = http::read_answer(&mut half, Vec::new(), false);
            assert_eq!(
                (answer.status, answer.header("connection")),
                (404, Some("close")),
                "{name}"
            );
            drop(half);
            assert_eq!(program.end(), Some(0), "{name} {signal}");
        }
    }
}

#[test]
fn a_second_signal_ends_every_server_although_somebody_does_not_leave() {
    for name in SERVERS {
        println!("{name}");
        let (mut program, mut half) = half_asked(name);
        for _ in 0..2 {
            program.signal("-TERM");
            // Two that come at once are one.
            wait_for_closed_doors(program.addr);
        }
        assert_eq!(program.end(), Some(0), "{name}");
        assert_eq!(http::read_to_end(&mut half), b"", "{name}");
    }
}

/// How many clients say how much to the example `echo`.
const CLIENTS: usize = 200;
const MESSAGES: usize = 50;

#[test]
fn echo_under_load_answers_in_order_what_it_has_heard_before_it_says_1001() {
    let mut program = serve_example("echo");
    let addr = program.addr;
    let mut clients: Vec<_> = (0..CLIENTS)
        .map(|_| Client::connect(addr, "/echo"))
        .collect();
    let text = |n: usize| format!("{n} {}", "x".repeat(500));
    for client in &mut clients {
        (0..MESSAGES).for_each(|n| client.send(&text(n)));
    }
    assert_eq!(clients[0].text(), text(0), "it is at work");
    program.signal("-TERM");
    for (index, client) in clients.iter_mut().enumerate() {
        let mut next = usize::from(index == 0);
        loop {
            let frame = client.recv();
            if frame.opcode == CLOSE {
                assert_eq!(frame.payload[..2], 1001_u16.to_be_bytes());
                break;
            }
            assert_eq!(frame.payload, text(next).as_bytes());
            next += 1;
        }
        client.try_send_close(1001);
    }
    assert_eq!(program.end(), Some(0));
}

#[test]
fn the_client_says_goodbye_on_a_signal_behind_what_was_typed() {
    for signal in ["-TERM", "-INT"] {
        let (pen, log) = log();
        let server = serve(move |app| {
            app.ws("/", move |socket, _| {
                let (heard, ended) = (pen.clone(), pen.clone());
                socket.on(event::Message, move |socket, message| {
                    heard.note(message.as_text().unwrap_or_default());
                    socket.send("heard");
                });
                socket.on(event::Close, move |_, close| {
                    ended.note(format!("{} {:?}", close.code, close.by));
                });
            });
        });
        let mut client = command("client");
        client
            .arg(format!("ws://{}/", server.addr))
            .stderr(Stdio::null());
        let mut program = run(client);
        let mut stdin = program.stdin();
        stdin.write_all(b"one\n").expect("it reads");
        assert_eq!(log.next(), "one");
        let mut stdout = BufReader::new(program.stdout());
        let mut line = String::new();
        stdout.read_line(&mut line).expect("text");
        assert_eq!(line, "heard\n");
        program.signal(signal);
        assert_eq!(log.next(), "1000 Peer", "{signal}");
        assert_eq!(program.end(), Some(0), "{signal}");
        stdout.read_to_string(&mut line).expect("text");
        drop(stdin);
    }
}

/// A program that connects to this listener.
fn client_of(listener: &TcpListener) -> Program {
    let mut client = command("client");
    let url = format!("ws://{}/", listener.local_addr().expect("address"));
    client.arg(url).stderr(Stdio::null());
    run(client)
}

#[test]
fn the_client_gives_up_at_a_signal_while_nobody_answers() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let mut program = client_of(&listener);
    let _held = listener.accept().expect("it comes");
    program.signal("-TERM");
    assert_eq!(program.end(), Some(1), "it was no regular end");
}

#[test]
fn the_client_goes_at_the_second_signal_although_the_server_does_not_say_goodbye() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let mut program = client_of(&listener);
    let (mut stream, _) = listener.accept().expect("it comes");
    stream
        .set_read_timeout(Some(PATIENCE))
        .expect("set a timeout");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).expect("a request");
        head.extend(byte);
    }
    let head = String::from_utf8(head).expect("text");
    let key = head
        .lines()
        .find_map(|line| line.strip_prefix("Sec-WebSocket-Key: "));
    let answer = tungstenite::handshake::derive_accept_key(key.expect("a key").as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {answer}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).expect("send");
    program.signal("-TERM");
    let mut close = [0; 8];
    stream.read_exact(&mut close).expect("a close frame");
    assert_eq!(close[..2], [0x88, 0x82], "masked, with a code");
    program.signal("-TERM");
    assert_eq!(program.end(), Some(0), "it has said goodbye");
}
