//! The game example, as its page talks to it: a whole program, in a process of its own. A9 and the
//! third of A3.
#![cfg(unix)]

mod common;

/// The rules are tested here, too: `cargo test` does not run what stands in an example.
#[path = "../examples/game/board.rs"]
#[allow(dead_code, reason = "only its tests are wanted")]
mod board;
#[path = "../examples/game/game.rs"]
#[allow(dead_code, reason = "only its tests are wanted")]
mod game;

use common::example::{Example, hear, hear_of, say};
use common::{Client, http};
use serde_json::{Value, json};

fn start() -> Example {
    Example::start("game", &[])
}

/// Comes to a table; gives what is shown there.
fn enter(program: &Example, game: &str, player: &str) -> (Client, Value) {
    let path = format!("/game/{game}?playerId={player}&key=secret-of-{player}");
    let mut client = Client::connect(program.addr, &path);
    let shown = hear(&mut client);
    assert_eq!(shown["type"], "game_state", "{shown}");
    (client, shown)
}

/// Ada and Brook, who have both heard that the game has begun.
fn two(program: &Example, game: &str) -> (Client, Client) {
    let (mut ada, _) = enter(program, game, "Ada");
    let (brook, _) = enter(program, game, "Brook");
    assert_eq!(hear(&mut ada)["type"], "game_state");
    assert_eq!(hear(&mut ada)["type"], "player_joined");
    (ada, brook)
}

fn drop_disc(client: &mut Client, column: usize) {
    say(
        client,
        &json!({ "type": "move", "move": { "column": column } }),
    );
}

/// The two play in turns, the first one first; both hear of every move the same.
fn play(first: &mut Client, second: &mut Client, columns: &[usize]) -> Value {
    let mut last = Value::Null;
    for (turn, &column) in columns.iter().enumerate() {
        drop_disc(if turn % 2 == 0 { first } else { second }, column);
        last = hear(first);
        assert_eq!(last["type"], "move_made", "{last}");
        assert_eq!(hear(second), last);
        assert_eq!(last["move"]["column"], column);
    }
    last
}

/// Nothing waits for this client: the answer to nonsense is the next thing that it hears.
fn hears_nothing(client: &mut Client) {
    say(client, &json!({ "type": "no such type" }));
    let answer = json!({ "type": "error", "message": "Unknown message type" });
    assert_eq!(hear(client), answer);
}

fn leave(mut client: Client) {
    client.send_close(1000, "");
    client.expect_close(1000);
}

/// Whoever plays first wins with these.
const WIN: [usize; 7] = [0, 1, 0, 1, 0, 1, 0];
/// Fills the board without four in a row.
const DRAW: [usize; 42] = [
    0, 1, 0, 1, 1, 0, 1, 0, 0, 1, 0, 1, 2, 3, 2, 3, 3, 2, 3, 2, 2, 3, 2, 3, 4, 5, 4, 5, 5, 4, 5, 4,
    4, 5, 4, 5, 6, 6, 6, 6, 6, 6,
];

fn empty_board() -> Value {
    json!(vec![vec![Value::Null; 7]; 6])
}

#[test]
fn the_page_is_there_and_nothing_else() {
    let program = start();
    let page = http::get(program.addr, "/");
    assert_eq!(page.status, 200);
    let kind = page.header("content-type").unwrap_or_default();
    assert!(kind.starts_with("text/html"), "{kind}");
    assert!(page.text().starts_with("<!doctype html>"));
    assert_eq!(http::get(program.addr, "/other").status, 404);
    assert_eq!(http::get(program.addr, "/game/1").status, 426);
}

/// A9.
#[test]
fn a_player_without_an_id_hears_an_error_and_1008() {
    let program = start();
    for path in ["/game/1", "/game/1?playerId=", "/game/1?playerId=%20%20"] {
        let mut client = Client::connect(program.addr, path);
        let error = json!({ "type": "error", "message": "Player ID required" });
        assert_eq!(hear(&mut client), error, "{path}");
        assert_eq!(
            client.closed(),
            (1008, "Player ID required".to_owned()),
            "{path}"
        );
    }
    let cases = [
        (
            format!("/game/1?playerId={}", "x".repeat(41)),
            "Player ID too long",
        ),
        (
            format!("/game/{}?playerId=Ada", "x".repeat(300)),
            "Bad game ID",
        ),
    ];
    for (path, why) in cases {
        let mut client = Client::connect(program.addr, &path);
        assert_eq!(hear(&mut client)["message"], why);
        assert_eq!(client.closed(), (1008, why.to_owned()));
    }
}

/// A9: `game_state` to whoever comes, `player_joined` with a count to the others.
#[test]
fn who_comes_is_shown_the_game_and_announced_to_the_others() {
    let program = start();
    let (mut ada, shown) = enter(&program, "g1", "Ada");
    let expected = json!({
        "type": "game_state", "gameId": "g1", "you": "Ada", "state": "waiting",
        "board": empty_board(), "players": ["Ada"], "away": [], "turn": null, "rematch": [],
        "seats": { "red": "Ada", "yellow": null }, "scores": { "Ada": 0 }, "watching": 0,
        "chat": [],
    });
    assert_eq!(shown, expected);
    let (mut brook, shown) = enter(&program, "g1", "Brook");
    assert_eq!(shown["players"], json!(["Ada", "Brook"]));
    assert_eq!(
        (&shown["state"], &shown["turn"]),
        (&json!("playing"), &json!("Ada"))
    );
    assert_eq!(shown["seats"], json!({ "red": "Ada", "yellow": "Brook" }));
    let begun = hear(&mut ada);
    assert_eq!(
        (&begun["state"], &begun["turn"]),
        (&json!("playing"), &json!("Ada"))
    );
    assert!(begun.get("you").is_none(), "{begun}");
    let joined = json!({
        "type": "player_joined", "playerId": "Brook", "playerCount": 2, "watching": 0, "plays": true,
    });
    assert_eq!(hear(&mut ada), joined);
    let (_cleo, shown) = enter(&program, "other", "Cleo");
    assert_eq!(shown["players"], json!(["Cleo"]), "another game");
    hears_nothing(&mut ada);
    hears_nothing(&mut brook);
}

/// A9: `move_made` with the board, to everyone at the table.
#[test]
fn a_move_is_told_to_all_with_the_board_and_whose_turn_it_is() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    let mut board = empty_board();
    for (column, row, who, next, disc) in [
        (3, 5, "Ada", "Brook", "red"),
        (3, 4, "Brook", "Ada", "yellow"),
    ] {
        drop_disc(if who == "Ada" { &mut ada } else { &mut brook }, column);
        board[row][column] = disc.into();
        let made = json!({
            "type": "move_made", "playerId": who, "move": { "column": column, "row": row },
            "board": board, "turn": next,
        });
        assert_eq!(hear(&mut ada), made);
        assert_eq!(hear(&mut brook), made);
    }
}

/// A9: `invalid_move` with a reason, to the mover alone.
#[test]
fn a_move_that_is_not_allowed_is_refused_with_a_reason_to_the_mover_alone() {
    let program = start();
    let (mut alone, _) = enter(&program, "alone", "Ada");
    drop_disc(&mut alone, 0);
    let refused = |reason: &str| json!({ "type": "invalid_move", "reason": reason });
    assert_eq!(hear(&mut alone), refused("There is no game going on"));

    let (mut ada, mut brook) = two(&program, "1");
    let (mut cleo, _) = enter(&program, "1", "Cleo");
    for client in [&mut ada, &mut brook] {
        assert_eq!(hear(client)["type"], "player_joined");
    }
    drop_disc(&mut cleo, 0);
    assert_eq!(hear(&mut cleo), refused("You are watching"));
    drop_disc(&mut brook, 0);
    assert_eq!(hear(&mut brook), refused("It is not your turn"));
    play(&mut ada, &mut brook, &[3, 3, 3, 3, 3, 3]);
    for _ in 0..6 {
        assert_eq!(hear(&mut cleo)["type"], "move_made");
    }
    let cases = [
        (json!({ "column": 3 }), "This column is full"),
        (json!({ "column": 7 }), "There is no such column"),
        (json!({ "column": u64::MAX }), "There is no such column"),
        (json!({ "column": -1 }), "Move not allowed"),
        (json!({ "column": 1.5 }), "Move not allowed"),
        (json!({ "column": "0" }), "Move not allowed"),
        (json!({}), "Move not allowed"),
        (json!(0), "Move not allowed"),
        (Value::Null, "Move not allowed"),
    ];
    for (wanted, reason) in cases {
        say(&mut ada, &json!({ "type": "move", "move": wanted }));
        assert_eq!(hear(&mut ada), refused(reason), "{wanted}");
    }
    hears_nothing(&mut brook);
    hears_nothing(&mut cleo);
    drop_disc(&mut ada, 0);
    assert_eq!(hear(&mut brook)["turn"], "Brook", "the turn was not lost");
}

/// A9: `game_over` with the winner and the final board.
#[test]
fn four_in_a_row_win() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    let made = play(&mut ada, &mut brook, &WIN);
    assert_eq!(made["turn"], Value::Null);
    let line: Vec<_> = (2..6)
        .map(|row| json!({ "row": row, "column": 0 }))
        .collect();
    let over = json!({
        "type": "game_over", "winner": "Ada", "reason": "four", "finalBoard": made["board"],
        "line": line, "scores": { "Ada": 1, "Brook": 0 },
    });
    assert_eq!(hear(&mut ada), over);
    assert_eq!(hear(&mut brook), over);
    drop_disc(&mut brook, 0);
    assert_eq!(hear(&mut brook)["reason"], "There is no game going on");
    let (_, shown) = enter(&program, "1", "Cleo");
    assert_eq!(
        (&shown["state"], &shown["winner"]),
        (&json!("finished"), &json!("Ada"))
    );
    assert_eq!(shown["line"], json!(line));
}

/// A9, and decision 26: a game ends.
#[test]
fn a_full_board_is_a_draw() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    let made = play(&mut ada, &mut brook, &DRAW);
    let over = json!({
        "type": "game_over", "winner": null, "reason": "draw", "finalBoard": made["board"],
        "line": [], "scores": { "Ada": 0, "Brook": 0 },
    });
    assert_eq!(hear(&mut ada), over);
    assert_eq!(hear(&mut brook), over);
    let discs = made["board"].as_array().into_iter().flatten();
    assert!(
        discs
            .flat_map(|row| row.as_array())
            .flatten()
            .all(Value::is_string)
    );
}

#[test]
fn a_rematch_begins_when_both_want_it_and_the_other_begins() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    let again = json!({ "type": "rematch" });
    say(&mut ada, &again);
    assert_eq!(hear(&mut ada)["message"], "The game is not over");
    play(&mut ada, &mut brook, &WIN);
    say(&mut ada, &again);
    let offered = json!({ "type": "rematch_offered", "playerId": "Ada" });
    for client in [&mut ada, &mut brook] {
        assert_eq!(hear(client)["type"], "game_over");
        assert_eq!(hear(client), offered);
    }
    say(&mut brook, &again);
    for client in [&mut ada, &mut brook] {
        let begun = hear(client);
        assert_eq!(
            (&begun["state"], &begun["turn"]),
            (&json!("playing"), &json!("Brook"))
        );
        assert_eq!(begun["board"], empty_board());
        assert_eq!(begun["scores"], json!({ "Ada": 1, "Brook": 0 }));
    }
    play(&mut brook, &mut ada, &WIN);
    assert_eq!(hear(&mut ada)["winner"], "Brook");
}

/// Decision 26: a player comes back to the running game, and nobody else does under that id.
#[test]
fn a_player_who_lost_the_connection_comes_back_to_the_running_game() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    let made = play(&mut ada, &mut brook, &[3, 4]);
    drop(ada);
    let left = json!({
        "type": "player_left", "playerId": "Ada", "playerCount": 1, "watching": 0, "plays": true,
    });
    assert_eq!(hear(&mut brook), left);
    let mut thief = Client::connect(program.addr, "/game/1?playerId=Ada&key=guess");
    assert_eq!(hear(&mut thief)["message"], "Player ID taken");
    assert_eq!(thief.closed(), (1008, "Player ID taken".to_owned()));
    let (_cleo, shown) = enter(&program, "1", "Cleo");
    assert_eq!(shown["away"], json!(["Ada"]));
    assert_eq!(hear(&mut brook)["plays"], false, "her seat is kept");
    let (mut ada, shown) = enter(&program, "1", "Ada");
    assert_eq!(
        (&shown["you"], &shown["turn"]),
        (&json!("Ada"), &json!("Ada"))
    );
    assert_eq!(
        (&shown["board"], &shown["away"]),
        (&made["board"], &json!([]))
    );
    let joined = hear(&mut brook);
    assert_eq!(
        (&joined["type"], &joined["playerCount"]),
        (&json!("player_joined"), &json!(2))
    );
    play(&mut ada, &mut brook, &[3, 4, 3, 4, 3]);
    assert_eq!(hear(&mut brook)["winner"], "Ada");
}

/// Decision 26: sockets are counted for each player; the end of one is not the end of the player.
#[test]
fn a_player_may_come_back_while_the_old_connection_is_still_open() {
    let program = start();
    let (mut old, mut brook) = two(&program, "1");
    let (mut new, shown) = enter(&program, "1", "Ada");
    assert_eq!(shown["players"], json!(["Ada", "Brook"]));
    drop_disc(&mut new, 3);
    for client in [&mut old, &mut new, &mut brook] {
        assert_eq!(hear(client)["type"], "move_made");
    }
    leave(old);
    hears_nothing(&mut brook);
    drop_disc(&mut brook, 3);
    assert_eq!(hear(&mut brook)["turn"], "Ada");
    assert_eq!(hear(&mut new)["turn"], "Ada", "she still plays");
    drop(new);
    assert_eq!(hear(&mut brook)["type"], "player_left", "with the last one");
}

#[test]
fn a_third_person_watches_and_hears_everything() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    let (mut cleo, shown) = enter(&program, "1", "Cleo");
    assert_eq!(shown["players"], json!(["Ada", "Brook"]));
    assert_eq!(shown["watching"], 1);
    let joined = json!({
        "type": "player_joined", "playerId": "Cleo", "playerCount": 2, "watching": 1, "plays": false,
    });
    for client in [&mut ada, &mut brook] {
        assert_eq!(hear(client), joined);
    }
    play(&mut ada, &mut brook, &WIN);
    for _ in WIN {
        assert_eq!(hear(&mut cleo)["type"], "move_made");
    }
    assert_eq!(hear(&mut cleo)["type"], "game_over");
    for (what, why) in [
        ("rematch", "You are watching"),
        ("sit", "There is no free seat"),
    ] {
        say(&mut cleo, &json!({ "type": what }));
        assert_eq!(hear(&mut cleo), json!({ "type": "error", "message": why }));
    }
    drop(cleo);
    let left = hear_of(&mut ada, "player_left");
    assert_eq!(
        (&left["playerId"], &left["watching"]),
        (&json!("Cleo"), &json!(0))
    );
    hears_nothing(&mut ada);
}

#[test]
fn who_leaves_for_good_loses_and_somebody_who_watched_may_take_the_seat() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    let (mut cleo, _) = enter(&program, "1", "Cleo");
    for client in [&mut ada, &mut brook] {
        assert_eq!(hear(client)["type"], "player_joined");
    }
    leave(brook);
    for client in [&mut ada, &mut cleo] {
        let left = hear(client);
        assert_eq!(
            (&left["type"], &left["playerId"]),
            (&json!("player_left"), &json!("Brook"))
        );
        let over = hear(client);
        assert_eq!(
            (&over["winner"], &over["reason"]),
            (&json!("Ada"), &json!("left"))
        );
        let shown = hear(client);
        assert_eq!(shown["seats"], json!({ "red": "Ada", "yellow": null }));
    }
    say(&mut ada, &json!({ "type": "rematch" }));
    assert_eq!(hear(&mut ada)["message"], "There is nobody to play with");
    say(&mut cleo, &json!({ "type": "sit" }));
    for client in [&mut ada, &mut cleo] {
        let begun = hear(client);
        assert_eq!(
            (&begun["state"], &begun["turn"]),
            (&json!("playing"), &json!("Ada"))
        );
        assert_eq!(begun["players"], json!(["Ada", "Cleo"]));
    }
}

#[test]
fn a_seat_is_not_kept_for_ever() {
    let program = Example::start("game", &["0"]);
    let (ada, mut brook) = two(&program, "1");
    drop(ada);
    assert_eq!(hear(&mut brook)["type"], "player_left");
    let over = hear(&mut brook);
    assert_eq!(
        (&over["winner"], &over["reason"]),
        (&json!("Brook"), &json!("left"))
    );
    assert_eq!(hear(&mut brook)["players"], json!(["Brook"]));
}

/// A9: `chat_message`, to everyone at the table and to those who come later.
#[test]
fn what_is_said_reaches_the_table_and_those_who_come_later() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    let (mut cleo, _) = enter(&program, "other", "Cleo");
    let text = "<img src=x onerror=alert(1)> \u{1F98A} \"quoted\" \n line";
    say(&mut ada, &json!({ "type": "chat", "text": text }));
    let heard = hear(&mut ada);
    assert_eq!(hear(&mut brook), heard);
    assert!(
        heard["timestamp"].as_u64() > Some(1_767_000_000_000),
        "{heard}"
    );
    let timestamp = &heard["timestamp"];
    let expected = json!({
        "type": "chat_message", "playerId": "Ada", "message": text, "timestamp": timestamp,
    });
    assert_eq!(heard, expected);
    hears_nothing(&mut cleo);
    let (_, shown) = enter(&program, "1", "Dora");
    assert_eq!(shown["chat"], json!([heard]));
    for number in 0..55 {
        say(
            &mut brook,
            &json!({ "type": "chat", "text": number.to_string() }),
        );
    }
    assert_eq!(hear_of(&mut brook, "player_joined")["playerId"], "Dora");
    while hear_of(&mut brook, "chat_message")["message"] != "54" {}
    let (_, shown) = enter(&program, "1", "Eve");
    let kept = shown["chat"].as_array().expect("a list");
    assert_eq!((kept.len(), &kept[0]["message"]), (50, &json!("5")));
}

/// A9: an empty game is deleted.
#[test]
fn a_game_is_forgotten_when_the_last_one_has_left() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    play(&mut ada, &mut brook, &[3]);
    ada.send_close(1001, "");
    ada.expect_close(1001);
    assert_eq!(hear(&mut brook)["type"], "player_left");
    brook.send_close(1001, "");
    brook.expect_close(1001);
    let (_, shown) = enter(&program, "1", "Brook");
    assert_eq!(
        (&shown["players"], &shown["state"]),
        (&json!(["Brook"]), &json!("waiting"))
    );
    assert_eq!(shown["board"], empty_board());
}

/// A3, the third.
#[test]
fn a_path_of_two_names_connects_to_the_same_games() {
    let program = start();
    let (mut ada, _) = enter(&program, "g%207", "Ada");
    let mut brook = Client::connect(program.addr, "/games/g%207/players/Br%C3%B6%C3%B6k");
    let connected = json!({ "type": "connected", "gameId": "g 7", "playerId": "Bröök" });
    assert_eq!(hear(&mut brook), connected);
    assert_eq!(hear(&mut brook)["players"], json!(["Ada", "Bröök"]));
    assert_eq!(hear(&mut ada)["state"], "playing");
    for path in ["/games/1/players/", "/games/1/players", "/games//players/2"] {
        assert_eq!(common::knock(program.addr, path, ""), 404, "{path}");
    }
}

#[test]
fn nonsense_is_answered_with_an_error_and_survived() {
    let program = start();
    let (mut ada, mut brook) = two(&program, "1");
    let long = json!({ "type": "chat", "text": "x".repeat(501) }).to_string();
    let format = "Invalid message format";
    let cases = [
        ("not JSON", "hello", format),
        ("half a JSON", r#"{"type":"move","#, format),
        ("nested deeply", &"[".repeat(8_000), format),
        ("an array", r#"["move"]"#, format),
        ("no type", r#"{"column":1}"#, format),
        ("a type that is no string", r#"{"type":7}"#, format),
        (
            "an unknown type",
            r#"{"type":"dance"}"#,
            "Unknown message type",
        ),
        (
            "one of ours",
            r#"{"type":"game_over"}"#,
            "Unknown message type",
        ),
        ("a chat without text", r#"{"type":"chat"}"#, format),
        ("a blank one", r#"{"type":"chat","text":" \n "}"#, format),
        ("a long one", &long, "The message is too long"),
    ];
    for (name, text, message) in cases {
        ada.send(text);
        let error = json!({ "type": "error", "message": message });
        assert_eq!(hear(&mut ada), error, "{name}");
    }
    ada.send_binary(br#"{"type":"rematch"}"#);
    assert_eq!(hear(&mut ada)["message"], format, "binary");
    drop_disc(&mut ada, 0);
    assert_eq!(hear(&mut brook)["type"], "move_made", "and nothing before");
}

#[test]
fn who_talks_too_much_is_told_and_stays() {
    let program = start();
    let (mut ada, _) = enter(&program, "1", "Ada");
    for _ in 0..70 {
        say(&mut ada, &json!({ "type": "chat", "text": "again" }));
    }
    assert_eq!(hear_of(&mut ada, "error")["message"], "Slow down");
    let (mut brook, _) = enter(&program, "1", "Brook");
    assert_eq!(hear_of(&mut ada, "player_joined")["playerId"], "Brook");
    hears_nothing(&mut brook);
}

#[test]
fn sigterm_closes_everyone_with_1001_and_ends_well() {
    let mut program = start();
    let (mut ada, mut brook) = two(&program, "1");
    program.signal("-TERM");
    for client in [&mut ada, &mut brook] {
        loop {
            let frame = client.recv();
            if frame.opcode == common::client::CLOSE {
                assert_eq!(frame.payload[..2], 1001u16.to_be_bytes());
                break;
            }
        }
        client.try_send_close(1001);
        client.expect_end();
    }
    assert_eq!(program.end(), Some(0));
}
