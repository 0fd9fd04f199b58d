//! Out of descriptors that others of the process have: no connection of ours ends, and so accepting has
//! to be tried again. Where connections of ours have them, see `tests/descriptors.rs`.

use std::fs::File;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::common::client::upgrade_request;
use super::common::{Client, PATIENCE, http, serve_with};
use super::still;

const TEST: &str = "starved::descriptors_that_others_give_back_are_used_within_a_second";
const PART: &str = "RUSHWIRE_TEST_STARVED";
const DESCRIPTORS: usize = 40;

#[test]
fn descriptors_that_others_give_back_are_used_within_a_second() {
    if std::env::var_os(PART).is_some() {
        return be_the_server();
    }
    let program = std::env::current_exe().expect("the test is a program");
    let mut server = Command::new("sh")
        .args(["-c", &format!(r#"ulimit -n {DESCRIPTORS}; exec "$0" "$@""#)])
        .arg(program)
        .args([TEST, "--exact", "--nocapture"])
        .env(PART, "server")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("run it");
    let mut output = BufReader::new(server.stdout.take().expect("it is piped")).lines();
    let mut line = |beginning: &str| loop {
        let line = output.next().expect("it says more").expect("text");
        if let Some(rest) = line.strip_prefix(beginning) {
            return rest.to_owned();
        }
    };
    let addr = line("listening on ").parse().expect("an address");
    let mut inside = Client::connect(addr, "/");
    writeln!(server.stdin.as_ref().expect("it is piped"), "take").expect("it listens");
    line("all are taken");
    let mut late = http::connect(addr);
    late.write_all(upgrade_request("/", "").as_bytes())
        .expect("the kernel takes it");
    let before = processor_time(&server);
    let brief = Some(Duration::from_millis(1500));
    late.set_read_timeout(brief).expect("set a timeout");
    assert!(
        late.peek(&mut [0]).is_err(),
        "there was a descriptor: this test shows nothing"
    );
    let spent = processor_time(&server) - before;
    assert!(
        spent < Duration::from_millis(300),
        "{spent:?} of 1.5 s for nothing"
    );
    inside.send("and I?");
    assert_eq!(inside.text(), "and I?");
    writeln!(server.stdin.as_ref().expect("it is piped"), "give back").expect("it listens");
    line("all are free");
    late.set_read_timeout(Some(PATIENCE))
        .expect("set a timeout");
    let began = Instant::now();
    Client::take_over(late);
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    drop(server.stdin.take());
    assert!(server.wait().expect("it ends").success());
}

fn be_the_server() {
    let server = serve_with(still, |app| {
        app.ws("/", |socket, _| {
            socket.on(rushwire::event::Message, |socket, message| {
                _ = socket.send(message)
            });
        });
    });
    println!("\nlistening on {}", server.addr);
    let mut taken = Vec::new();
    for order in std::io::stdin().lines().map_while(Result::ok) {
        if order == "take" {
            taken.extend(std::iter::from_fn(|| File::open("/dev/null").ok()));
            println!("all are taken");
        } else {
            taken.clear();
            println!("all are free");
        }
    }
}

/// What the process has used of the processor so far, to the hundredth of a second.
fn processor_time(process: &Child) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", process.id())).expect("its status");
    let fields = stat.rsplit(')').next().expect("fields").split_whitespace();
    let ticks = fields
        .skip(11)
        .take(2)
        .map(|field| field.parse::<u64>().expect("ticks"));
    Duration::from_millis(ticks.sum::<u64>() * 10)
}
