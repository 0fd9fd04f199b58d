//! How the program ends.

use std::time::Instant;

use crate::program::{Chat, chat};

#[test]
fn sigterm_and_sigint_close_everyone_with_1001_and_end_well() {
    for signal in ["-TERM", "-INT"] {
        let mut program = Chat::start();
        let (mut ada, _) = program.join("lobby", "Ada");
        let (mut brook, _) = program.join("garden", "Brook");
        chat(&mut ada, "last words");
        program.signal(signal);
        for client in [&mut ada, &mut brook] {
            assert_eq!(client.closed().0, 1001, "{signal}");
            client.try_send_close(1001);
            client.expect_end();
        }
        assert_eq!(program.end(), Some(0), "{signal}");
    }
}

#[test]
fn a_second_signal_does_not_wait_for_those_who_do_not_answer() {
    let mut program = Chat::start();
    let (mut ada, _) = program.join("lobby", "Ada");
    program.signal("-TERM");
    assert_eq!(ada.closed().0, 1001);
    let began = Instant::now();
    program.signal("-TERM");
    assert_eq!(program.end(), Some(0));
    assert!(
        began.elapsed().as_secs() < 4,
        "the grace of five seconds is not waited for"
    );
}
