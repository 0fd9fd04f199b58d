//! The addresses of a host: the system is asked on a thread of its own, since that may take long.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, ToSocketAddrs};
use std::thread;

use crate::ws::hub::Hub;
use crate::ws::later;

type Found = io::Result<VecDeque<SocketAddr>>;

/// Another thread has answered.
fn finish(hub: &Hub, number: u64) {
    hub.dials().finish_errand(number);
}

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
    let number = hub.dials().number();
    let unanswered = || Err(io::ErrorKind::NotFound.into());
    let (promise, later) = later::ask(hub.remote(), number, finish, unanswered);
    let host = host.to_owned();
    let ask = move || {
        let found = (host.as_str(), port).to_socket_addrs();
        promise.give(found.map(Iterator::collect));
    };
    if let Err(error) = thread::Builder::new().name("lookup".to_owned()).spawn(ask) {
        return then(Err(error));
    }
    match later.take() {
        Some(found) => then(found),
        None => hub.dials().begin_errand(number, move || {
            if let Some(found) = later.take() {
                then(found);
            }
        }),
    }
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

    #[test]
    fn of_a_name_all_addresses_are_told() {
        let mut client = Client::new().expect("a client");
        let expected = ("localhost", 80).to_socket_addrs().expect("it is known");
        let answer = Rc::new(RefCell::new(None));
        let told = Rc::clone(&answer);
        find(client.hub(), "localhost", 80, move |found| {
            *told.borrow_mut() = found.ok();
        });
        let deadline = Instant::now() + Duration::from_secs(30);
        while answer.borrow().is_none() {
            assert!(Instant::now() < deadline, "no answer");
            let turn = client.turn(Some(Duration::from_millis(10)));
            turn.expect("a turn");
        }
        assert_eq!(answer.take(), Some(expected.collect()));
    }
}
