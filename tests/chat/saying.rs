//! What is said, and who hears it.

use serde_json::json;

use crate::program::{Chat, bearer, chat, hear, hears_nothing, is_timestamp, json_of, say};

/// A4, A6, A16: everyone in the room hears it, its author too.
#[test]
fn what_is_said_reaches_the_room_and_those_who_come_later() {
    let program = Chat::start();
    let (mut ada, welcome) = program.join("lobby", "Ada");
    let (mut cleo, _) = program.join("garden", "Cleo");
    let (mut brook, _) = program.join("lobby", "Brook");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    let text = "<img src=x onerror=alert(1)> \u{1F98A} \"quoted\" \\ \n line";
    say(
        &mut ada,
        &json!({ "type": "chat", "text": text, "clientId": "mine-1" }),
    );
    let (to_ada, to_brook) = (hear(&mut ada), hear(&mut brook));
    assert_eq!(to_ada, to_brook);
    let id = to_ada["id"].as_u64().expect("a number");
    assert!(is_timestamp(&to_ada["timestamp"]), "{to_ada}");
    let timestamp = &to_ada["timestamp"];
    let expected = json!({
        "type": "chat-message", "id": id, "text": text, "user": welcome["you"], "roomId": "lobby",
        "timestamp": timestamp, "clientId": "mine-1",
    });
    assert_eq!(to_ada, expected);
    let second = chat(&mut brook, "and I");
    assert_eq!(hear(&mut ada), second);
    assert!(
        second["id"].as_u64() > Some(id) && second.get("clientId").is_none(),
        "{second}"
    );
    hears_nothing(&mut cleo);
    let (_, welcome) = program.join("lobby", "Dora");
    assert_eq!(welcome["messages"], json!([to_ada, second]));
}

/// A6: 50 are shown, 100 are kept.
#[test]
fn a_newcomer_is_shown_the_last_fifty_of_a_hundred_messages() {
    let program = Chat::start();
    let token = program.login("Ada");
    // Each says no more than may be said in one go.
    let mut speakers = Vec::new();
    for speaker in 0..3 {
        let name = format!("speaker {speaker}");
        let (mut client, _) = program.join("lobby", &name);
        for number in 40 * speaker..40 * (speaker + 1) {
            chat(&mut client, &number.to_string());
        }
        speakers.push(client);
    }
    let texts = |messages: &serde_json::Value| -> Vec<u32> {
        let all = messages.as_array().expect("messages").iter();
        all.map(|one| {
            one["text"]
                .as_str()
                .expect("text")
                .parse()
                .expect("a number")
        })
        .collect()
    };
    let (_ada, welcome) = program.enter("lobby", &token);
    assert_eq!(texts(&welcome["messages"]), (70..120).collect::<Vec<_>>());
    let info = json_of(&program.get("/rooms/lobby/info", &bearer(&token)));
    assert_eq!(texts(&info["messages"]), (20..120).collect::<Vec<_>>());
}

/// A6, A7
#[test]
fn typing_is_told_to_the_others_only() {
    let program = Chat::start();
    let (mut ada, welcome) = program.join("lobby", "Ada");
    let (mut cleo, _) = program.join("garden", "Cleo");
    let (mut brook, _) = program.join("lobby", "Brook");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    for typing in [true, false] {
        say(&mut ada, &json!({ "type": "typing", "isTyping": typing }));
        let expected = json!({ "type": "typing", "user": welcome["you"], "isTyping": typing });
        assert_eq!(hear(&mut brook), expected);
    }
    hears_nothing(&mut ada);
    hears_nothing(&mut cleo);
}

/// A6, A7: in whatever room the other is.
#[test]
fn a_private_message_reaches_one_person_and_is_confirmed() {
    let program = Chat::start();
    let (mut ada, ada_is) = program.join("lobby", "Ada");
    let (mut cleo, _) = program.join("lobby", "Cleo");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    for room in ["lobby", "garden"] {
        let (mut brook, brook_is) = program.join(room, "Brook");
        if room == "lobby" {
            assert_eq!(hear(&mut ada)["type"], "user-joined");
            assert_eq!(hear(&mut cleo)["type"], "user-joined");
        }
        let target = &brook_is["you"]["id"];
        say(
            &mut ada,
            &json!({ "type": "private", "targetUserId": target, "text": "psst", "clientId": "p1" }),
        );
        let heard = hear(&mut brook);
        assert!(is_timestamp(&heard["timestamp"]));
        let timestamp = &heard["timestamp"];
        assert_eq!(
            heard,
            json!({ "type": "private-message", "text": "psst", "from": ada_is["you"], "timestamp": timestamp })
        );
        assert_eq!(
            hear(&mut ada),
            json!({ "type": "private-message-sent", "to": target, "text": "psst", "clientId": "p1" })
        );
        hears_nothing(&mut cleo);
        drop(brook);
        if room == "lobby" {
            assert_eq!(hear(&mut ada)["type"], "user-left");
            assert_eq!(hear(&mut cleo)["type"], "user-left");
        }
    }
}

/// A6: an error, where A7 says nothing.
#[test]
fn a_private_message_to_someone_who_is_not_here_is_answered() {
    let program = Chat::start();
    let (mut ada, _) = program.join("lobby", "Ada");
    let (mut brook, brook_is) = program.join("garden", "Brook");
    brook.send_close(1000, "");
    brook.expect_close(1000);
    let gone = brook_is["you"]["id"].as_str().expect("an id").to_owned();
    for target in [gone.as_str(), "nobody", "", "lobby"] {
        say(
            &mut ada,
            &json!({ "type": "private", "targetUserId": target, "text": "psst", "clientId": "p2" }),
        );
        assert_eq!(
            hear(&mut ada),
            json!({ "type": "error", "message": "User not found or offline", "clientId": "p2" }),
            "{target}"
        );
    }
}

/// A room whose name looks like a person's mailbox is none.
#[test]
fn nobody_reads_private_messages_by_a_clever_room_name() {
    let program = Chat::start();
    let (mut ada, _) = program.join("lobby", "Ada");
    let (mut brook, brook_is) = program.join("garden", "Brook");
    let target = brook_is["you"]["id"].as_str().expect("an id");
    let rooms = [format!("user:{target}"), target.to_owned()];
    let mut spies: Vec<_> = rooms
        .iter()
        .map(|room| program.join(room, "Eve").0)
        .collect();
    say(
        &mut ada,
        &json!({ "type": "private", "targetUserId": target, "text": "psst" }),
    );
    assert_eq!(hear(&mut brook)["text"], "psst");
    assert_eq!(hear(&mut ada)["type"], "private-message-sent");
    spies.iter_mut().for_each(hears_nothing);
}

/// A18
#[test]
fn an_announcement_reaches_everyone_in_the_current_room() {
    let program = Chat::start();
    let (mut ada, welcome) = program.join("garden", "Ada");
    let (mut cleo, _) = program.join("garden", "Cleo");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    let (mut brook, _) = program.join("lobby", "Brook");
    say(&mut ada, &json!({ "type": "switch-room", "room": "lobby" }));
    for _ in 0..3 {
        hear(&mut ada);
    }
    assert_eq!(hear(&mut brook)["type"], "user-joined");
    assert_eq!(hear(&mut cleo)["type"], "user-left");
    say(
        &mut ada,
        &json!({ "type": "announce", "text": "Lunch", "clientId": "a1" }),
    );
    let heard = hear(&mut brook);
    assert!(is_timestamp(&heard["timestamp"]));
    let timestamp = &heard["timestamp"];
    let expected = json!({
        "type": "announcement", "text": "Lunch", "user": welcome["you"], "timestamp": timestamp, "clientId": "a1",
    });
    assert_eq!(heard, expected);
    assert_eq!(hear(&mut ada), expected);
    hears_nothing(&mut cleo);
}
