//! One message for many, of whom some are stuck.

use rushwire::{Hub, Overflow};

use super::common::Client;
use super::common::client::CLOSE;
use super::common::log::log;
use super::{KIB, POLICIES, number_of, numbered, read_up_to, serve_limited, undelivered};

#[test]
fn members_who_are_stuck_do_not_hurt_the_others_in_their_room() {
    let (count, size) = (400_u32, 24 * KIB);
    for policy in POLICIES {
        let (pen, log) = log();
        let server = serve_limited(256 * KIB, policy, pen);
        let mut stuck = [server.connect("/a"), server.connect("/a")];
        let healthy: Vec<_> = (0..3).map(|_| server.connect("/healthy")).collect();
        let readers = healthy
            .into_iter()
            .map(|mut client| std::thread::spawn(move || read_up_to(&mut client, count - 1).len()));
        let readers: Vec<_> = readers.collect();
        let mut reached = Vec::new();
        for number in 0..count {
            reached.push(server.ask(move |hub| hub.to("all").send(&numbered(number, size))));
            let idle = |hub: &Hub| {
                hub.room("healthy")
                    .members()
                    .iter()
                    .all(|socket| socket.buffered_amount() == 0)
            };
            server.wait_until("those who read have read", idle);
        }
        for reader in readers {
            assert_eq!(
                reader.join().expect("a reader"),
                count as usize,
                "{policy:?}"
            );
        }
        assert_eq!(reached[0], 5, "{policy:?}");
        match policy {
            Overflow::Close | Overflow::DropNewest => {
                assert_eq!(reached[count as usize - 1], 3, "{policy:?}")
            }
            Overflow::DropOldest => assert!(reached.iter().all(|reached| *reached == 5)),
        }
        let accepted = reached.iter().sum::<usize>() - 3 * count as usize;
        let mut delivered = 0;
        for client in &mut stuck {
            match policy {
                Overflow::DropOldest => delivered += read_up_to(client, count - 1).len(),
                Overflow::Close => delivered += read_to_close(client),
                // The next one that is accepted comes behind all that was.
                Overflow::DropNewest => {}
            }
        }
        if policy == Overflow::Close {
            let counted = undelivered(&log.find("a close")) + undelivered(&log.find("a close"));
            assert_eq!(delivered + counted, accepted);
        }
        if policy == Overflow::DropOldest {
            let mut counted = 0;
            while counted < accepted - delivered {
                counted += undelivered(&log.find("a drain"));
            }
            assert_eq!(delivered + counted, accepted);
        }
    }
}

fn read_to_close(client: &mut Client) -> usize {
    let messages = std::iter::from_fn(|| Some(client.recv()).filter(|frame| frame.opcode != CLOSE));
    let count = messages
        .inspect(|frame| _ = number_of(&frame.payload))
        .count();
    client.try_send_close(1013);
    client.expect_end();
    client.finish();
    count
}
