//! The client that conformance suites talk to: it runs all the cases that a suite's server has, and
//! sends back what it hears in each.
//!
//! ```text
//! cargo run --release --example echo_client -- ws://127.0.0.1:9001 rushwire
//! ```

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use rushwire::{Client, ConnectOptions, Options, event};

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    let mut arguments = std::env::args().skip(1);
    let server = arguments.next().ok_or("the server's URL is missing")?;
    let agent = arguments.next().unwrap_or_else(|| "rushwire".to_owned());
    let mut client = Client::with(Options {
        heartbeat: Duration::ZERO,
        max_message_size: 64 * 1024 * 1024,
        max_backpressure: 256 * 1024 * 1024,
        ..Options::default()
    })?;
    let cases = count(&mut client, &format!("{server}/getCaseCount"))?;
    for case in 1..=cases {
        echo(
            &mut client,
            &format!("{server}/runCase?case={case}&agent={agent}"),
        )?;
    }
    echo(
        &mut client,
        &format!("{server}/updateReports?agent={agent}"),
    )?;
    println!("{cases} cases");
    Ok(())
}

/// The number that the server sends.
fn count(client: &mut Client, url: &str) -> Result<u32, Error> {
    let answer = Rc::new(Cell::new(None));
    let heard = Rc::clone(&answer);
    client.connect(url, ConnectOptions::default(), move |socket, _| {
        let heard = Rc::clone(&heard);
        socket.on(event::Message, move |_, message| {
            heard.set(message.as_text().and_then(|text| text.parse().ok()));
        });
    })?;
    client.run()?;
    Ok(answer
        .take()
        .ok_or("the server does not say how many cases it has")?)
}

/// Sends back whatever comes, until the server closes.
fn echo(client: &mut Client, url: &str) -> Result<(), Error> {
    let connection = client.connect(url, ConnectOptions::default(), |socket, _| {
        socket.on(event::Message, |socket, message| {
            socket.send(message);
        });
    })?;
    connection.on_error(|failed| eprintln!("{}", failed.error));
    client.run()?;
    Ok(())
}
