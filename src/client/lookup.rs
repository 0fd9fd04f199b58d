//! The addresses of a host: the system is asked on a thread of its own, since that may take long. There is
//! one for each host, however many want to know, and however often they ask while it is busy.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::thread;

use crate::ws::dialing::Addresses;
use crate::ws::guard::guard;
use crate::ws::hub::Hub;

type Found = io::Result<VecDeque<SocketAddr>>;

/// Finds all addresses of `host`, and runs `then` with them on the hub's thread: at once if it is an
/// address itself. In memory, every name is 127.0.0.1's.
pub(super) fn find(hub: &Hub, host: &str, port: u16, then: impl FnOnce(Found) + 'static) {
    if let Ok(ip) = host.parse::<IpAddr>() {
        return then(Ok([SocketAddr::new(ip, port)].into()));
    }
    if hub.links().is_in_memory() {
        return then(Ok(
            [SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)].into()
        ));
    }
    let then = move |addresses: &Addresses| then(at_port(addresses, port));
    if !hub.dials().ask(host, Box::new(then)) {
        return;
    }
    let (remote, name) = (hub.remote(), host.to_owned());
    let look_up = move || {
        let addresses = look_up(&name);
        // Without a reactor nobody waits.
        let _ = remote.post(move |hub| hub.dials().answer(&name, &addresses));
    };
    if let Err(error) = thread::Builder::new()
        .name("lookup".to_owned())
        .spawn(look_up)
    {
        hub.dials()
            .answer(host, &Err((error.kind(), error.to_string())));
    }
}

/// Asks the system, on this thread.
fn look_up(host: &str) -> Addresses {
    match guard(|| (host, 0).to_socket_addrs()) {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err((error.kind(), error.to_string())),
        Err(panic) => Err((io::ErrorKind::Other, panic)),
    }
}

fn at_port(addresses: &Addresses, port: u16) -> Found {
    let all = addresses.clone();
    let mut all = all.map_err(|(kind, what)| io::Error::new(kind, what))?;
    all.iter_mut().for_each(|address| address.set_port(port));
    Ok(all.into())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::client::Client;

    #[test]
    fn an_address_is_its_own_answer_at_once() {
        let client = Client::new().expect("a client");
        for (host, expected) in [("127.0.0.1", "127.0.0.1:80"), ("::1", "[::1]:80")] {
            let answer = Rc::new(RefCell::new(None));
            let told = Rc::clone(&answer);
            find(client.hub(), host, 80, move |found| {
                *told.borrow_mut() = found.ok();
            });
            let expected = expected.parse().expect("an address");
            assert_eq!(answer.take(), Some([expected].into()));
        }
    }

    /// Asks for `host` at each of these ports; gives what came of that.
    fn ask(client: &mut Client, host: &str, ports: std::ops::Range<u16>) -> Vec<Found> {
        let answers = Rc::new(RefCell::new(Vec::new()));
        for port in ports.clone() {
            let told = Rc::clone(&answers);
            find(client.hub(), host, port, move |found| {
                told.borrow_mut().push(found);
            });
        }
        let deadline = Instant::now() + Duration::from_secs(30);
        while answers.borrow().len() < ports.len() {
            assert!(Instant::now() < deadline, "no answer");
            let turn = client.turn(Some(Duration::from_millis(10)));
            turn.expect("a turn");
        }
        answers.take()
    }

    #[test]
    fn of_a_name_all_addresses_are_told_to_all_who_ask() {
        let mut client = Client::new().expect("a client");
        for (port, found) in (80..).zip(ask(&mut client, "localhost", 80..90)) {
            let expected = ("localhost", port).to_socket_addrs().expect("it is known");
            assert_eq!(found.expect("it is known"), expected.collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_name_that_nobody_has_is_none_and_may_be_asked_for_again() {
        let mut client = Client::new().expect("a client");
        for _ in 0..2 {
            // No name: so nobody outside is asked for it.
            let found = ask(&mut client, "no name", 80..82);
            assert!(found.iter().all(Result::is_err), "{found:?}");
        }
    }

    #[test]
    fn whoever_asks_meanwhile_waits_for_the_same_answer() {
        let client = Client::new().expect("a client");
        let dials = client.hub().dials();
        let asks: Vec<bool> = ["a", "a", "b", "a"]
            .map(|host| dials.ask(host, Box::new(|_| {})))
            .into();
        assert_eq!(asks, [true, false, true, false]);
        dials.answer("a", &Ok(Vec::new()));
        assert!(dials.ask("a", Box::new(|_| {})), "it may have changed");
    }
}
