//! Who comes to a room, moves and leaves.

use serde_json::json;

use crate::common::Client;
use crate::program::{Chat, bearer, chat, hear, hears_nothing, json_of, names, say, shown};

/// A1: who asks for no room is in `general`.
#[test]
fn without_a_room_one_is_in_general() {
    let program = Chat::start();
    let path = format!("/chat?token={}", program.login("Ada"));
    let mut ada = Client::connect(program.addr, &path);
    assert_eq!(hear(&mut ada)["roomId"], "general");
    assert_eq!(shown(&mut ada)["roomId"], "general");
    let (_, welcome) = program.join("general", "Brook");
    assert_eq!(names(&welcome), ["Ada", "Brook"]);
}

/// A2
#[test]
fn an_echo_says_hello_and_sends_everything_back_to_anyone() {
    let program = Chat::start();
    let mut client = Client::connect(program.addr, "/echo");
    assert_eq!(client.text(), "Welcome!");
    for text in ["hello", "", "日本語"] {
        client.send(text);
        assert_eq!(client.text(), format!("Echo: {text}"));
    }
    client.send_binary(&[0, 159, 146, 150]);
    assert_eq!(client.binary(), [0, 159, 146, 150]);
}

/// A3: the room is a part of the path, decoded.
#[test]
fn the_path_names_the_room() {
    let program = Chat::start();
    for (path, room) in [
        ("lobby", "lobby"),
        ("caf%C3%A9%20%2F%20bar", "café / bar"),
        ("user:1", "user:1"),
    ] {
        assert_eq!(program.join(path, "Ada").1["roomId"], room);
    }
}

/// A4, A6: the others are told who comes and goes, and how many are left; the newcomer who is here.
#[test]
fn those_who_come_and_go_are_announced_to_the_others_with_the_count() {
    let program = Chat::start();
    let (mut ada, welcome) = program.join("lobby", "Ada");
    let ada_is = welcome["you"].clone();
    assert_eq!(
        welcome,
        json!({ "type": "room-history", "roomId": "lobby", "you": ada_is, "messages": [], "users": [ada_is] })
    );
    let (brook, welcome) = program.join("lobby", "Brook");
    let brook_is = welcome["you"].clone();
    assert_ne!(brook_is["id"], ada_is["id"]);
    assert_eq!(names(&welcome), ["Ada", "Brook"]);
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "user-joined", "user": brook_is, "message": "Brook joined room lobby", "userCount": 2 })
    );
    let (mut cleo, welcome) = program.join("garden", "Cleo");
    assert_eq!(names(&welcome), ["Cleo"], "another room");
    drop(brook);
    assert_eq!(
        hear(&mut ada),
        json!({ "type": "user-left", "user": brook_is, "message": "Brook left room lobby", "userCount": 1 })
    );
    hears_nothing(&mut cleo);
}

/// A4: `getRoomUsers` and `getAllRooms`.
#[test]
fn one_may_ask_how_many_are_in_the_room_and_in_each() {
    let program = Chat::start();
    let token = program.login("Ada");
    let (mut ada, _) = program.enter("lobby", &token);
    let (_brook, _) = program.join("lobby", "Brook");
    let (_cleo, _) = program.join("garden", "Cleo");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    say(&mut ada, &json!({ "type": "room-info" }));
    let expected = json!({ "type": "room-info", "roomId": "lobby", "userCount": 2 });
    assert_eq!(hear(&mut ada), expected);
    let rooms = json_of(&program.get("/rooms", &bearer(&token)));
    assert_eq!(rooms, json!({ "lobby": 2, "garden": 1 }));
}

#[test]
fn somebody_with_two_windows_counts_once_and_leaves_with_the_last() {
    let program = Chat::start();
    let (mut ada, _) = program.join("lobby", "Ada");
    let token = program.login("Brook");
    let (mut first, welcome) = program.enter("lobby", &token);
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    let (second, again) = program.enter("lobby", &token);
    assert_eq!(names(&again), ["Ada", "Brook"]);
    assert_eq!(again["you"], welcome["you"]);
    hears_nothing(&mut ada);
    let private =
        json!({ "type": "private", "targetUserId": welcome["you"]["id"], "text": "both?" });
    say(&mut ada, &private);
    assert_eq!(hear(&mut first)["text"], "both?");
    assert_eq!(hear(&mut ada)["type"], "private-message-sent");
    drop(second);
    let mut second = program.enter("lobby", &token).0;
    hears_nothing(&mut ada);
    second.send_close(1000, "");
    second.expect_close(1000);
    hears_nothing(&mut ada);
    first.send_close(1000, "");
    first.expect_close(1000);
    assert_eq!(hear(&mut ada)["type"], "user-left");
}

/// A16, A17: `join-room` and `switch-room`.
#[test]
fn one_goes_to_another_room_over_the_same_connection() {
    for event in ["switch-room", "join-room"] {
        let program = Chat::start();
        let (mut ada, _) = program.join("lobby", "Ada");
        let (mut cleo, _) = program.join("garden", "Cleo");
        let (mut brook, welcome) = program.join("lobby", "Brook");
        let brook_is = &welcome["you"];
        assert_eq!(hear(&mut ada)["type"], "user-joined");
        let before = chat(&mut cleo, "nice flowers");
        say(&mut brook, &json!({ "type": event, "room": "garden" }));
        assert_eq!(
            hear(&mut brook),
            json!({ "type": "room-switched", "roomId": "garden", "message": "Switched to room: garden" })
        );
        let garden = shown(&mut brook);
        assert_eq!(names(&garden), ["Brook", "Cleo"]);
        assert_eq!(
            (&garden["roomId"], &garden["messages"]),
            (&json!("garden"), &json!([before]))
        );
        let left = hear(&mut ada);
        assert_eq!(
            (&left["type"], &left["user"], &left["userCount"]),
            (&json!("user-left"), brook_is, &json!(1))
        );
        let came = hear(&mut cleo);
        assert_eq!(
            (&came["type"], &came["user"], &came["userCount"]),
            (&json!("user-joined"), brook_is, &json!(2))
        );
        // What one says now is heard there, and only there; and so is what is said to one's old room.
        assert_eq!(chat(&mut brook, "hello garden"), hear(&mut cleo));
        chat(&mut ada, "hello lobby");
        hears_nothing(&mut ada);
        hears_nothing(&mut brook);
        drop(brook);
        assert_eq!(hear(&mut cleo)["type"], "user-left");
        hears_nothing(&mut ada);
    }
}

#[test]
fn going_where_one_is_changes_nothing_for_the_others() {
    let program = Chat::start();
    let (mut ada, _) = program.join("lobby", "Ada");
    let (mut brook, _) = program.join("lobby", "Brook");
    assert_eq!(hear(&mut ada)["type"], "user-joined");
    say(
        &mut brook,
        &json!({ "type": "switch-room", "room": "lobby" }),
    );
    assert_eq!(hear(&mut brook)["type"], "room-switched");
    assert_eq!(names(&shown(&mut brook)), ["Ada", "Brook"]);
    hears_nothing(&mut ada);
    assert_eq!(chat(&mut ada, "still here"), hear(&mut brook));
}

#[test]
fn a_bad_room_name_is_refused_and_one_stays_where_one_is() {
    let program = Chat::start();
    let (long, token) = ("x".repeat(257), program.login("Ada"));
    let path = format!("/chat/{long}?token={token}");
    let mut client = Client::connect(program.addr, &path);
    assert_eq!(client.closed(), (1008, "bad room name".to_owned()));
    let (mut ada, _) = program.enter(&"x".repeat(256), &token);
    for room in ["", &long] {
        say(&mut ada, &json!({ "type": "switch-room", "room": room }));
        assert_eq!(
            hear(&mut ada),
            json!({ "type": "error", "message": "Bad room name" })
        );
    }
    assert_eq!(chat(&mut ada, "still here")["roomId"], "x".repeat(256));
}

/// A6: the history lives as long as somebody is there.
#[test]
fn a_room_forgets_when_the_last_one_leaves_it() {
    for how in ["closes", "switches"] {
        let program = Chat::start();
        let (mut ada, _) = program.join("lobby", "Ada");
        chat(&mut ada, "remember");
        if how == "closes" {
            ada.send_close(1000, "");
            ada.expect_close(1000);
        } else {
            say(
                &mut ada,
                &json!({ "type": "switch-room", "room": "garden" }),
            );
            assert_eq!(hear(&mut ada)["type"], "room-switched");
        }
        let (_, welcome) = program.join("lobby", "Brook");
        assert_eq!(welcome["messages"], json!([]), "{how}");
        assert_eq!(names(&welcome), ["Brook"], "{how}");
    }
}
