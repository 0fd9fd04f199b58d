//! Who may come in, and as whom.

use serde_json::{Value, json};

use crate::common::Client;
use crate::common::example::refusal;
use crate::program::{Chat, bearer, command, hear, hears_nothing, json_of, shown};

/// Tokens that were not made by the program: signed by `SECRET`, and good until 2100 where nothing else
/// is said. Each is for the user `ada-1`, Ada.
const SECRET: &str = "a secret of thirty-two bytes, ok?";
const GOOD: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEtMSIsIm5hbWUiOiJBZGEiLCJleHAiOjQxMDI0NDQ4MDB9.u2TMmjT8EtP-ejk6xdxNt7_oKlikNk18vxZwna-MINA";
const BAD: [(&str, &str); 9] = [
    (
        "of 2023",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEtMSIsIm5hbWUiOiJBZGEiLCJleHAiOjE3MDAwMDAwMDB9.aKEqFPMqSdU-uD9vr-EKB-qYxtu61xVlgXe7hVMrYyY",
    ),
    (
        "signed with another secret",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEtMSIsIm5hbWUiOiJBZGEiLCJleHAiOjQxMDI0NDQ4MDB9.bIH4rsXw8ZSLyfgKrhSlL7-V_yWBJy1LZp-MLgMFIPI",
    ),
    (
        "good for ever",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEtMSIsIm5hbWUiOiJBZGEifQ.8iWHXr963IFFG-mAH0Uh8cbvZlpN-rNjTt3vuAh5sj4",
    ),
    (
        "of the algorithm none",
        "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZGEtMSIsIm5hbWUiOiJBZGEiLCJleHAiOjQxMDI0NDQ4MDB9.",
    ),
    (
        "for another name than was signed",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEtMSIsIm5hbWUiOiJFdmUiLCJleHAiOjQxMDI0NDQ4MDB9.u2TMmjT8EtP-ejk6xdxNt7_oKlikNk18vxZwna-MINA",
    ),
    (
        "for nobody",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDB9.8P8Xuc0DtSZ4uYAiVFbzuSYcPNzC3RRavCmmKeaMmvQ",
    ),
    (
        "without a signature",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhZGEtMSIsIm5hbWUiOiJBZGEiLCJleHAiOjQxMDI0NDQ4MDB9",
    ),
    ("that is garbage", "garbage"),
    ("of dots", "..."),
];

/// The ways to bring a token: where it is brought, the query, the headers.
fn ways(token: &str) -> [(&'static str, String, String); 3] {
    let offer = format!("Sec-WebSocket-Protocol: chat, bearer.{token}\r\n");
    [
        ("in the query", format!("?token={token}"), String::new()),
        ("in a header", String::new(), bearer(token)),
        ("as a subprotocol", String::new(), offer),
    ]
}

/// A7: `verify_client` reads the token; A5: the socket is told who it is.
#[test]
fn a_token_lets_in_wherever_it_stands_and_the_socket_is_told_who_it_is() {
    let program = Chat::with(&[], &[("CHAT_SECRET", SECRET)]);
    for (way, query, headers) in ways(GOOD) {
        let path = format!("/chat/lobby{query}");
        let mut ada = Client::connect_with(program.addr, &path, &headers);
        let is_offered = way == "as a subprotocol";
        let answered = ada.answer.header("sec-websocket-protocol");
        assert_eq!(answered, is_offered.then_some("chat"), "{way}");
        let user = json!({ "id": "ada-1", "name": "Ada" });
        let expected = json!({ "type": "authenticated", "user": user, "roomId": "lobby" });
        assert_eq!(hear(&mut ada), expected, "{way}");
        assert_eq!(shown(&mut ada)["you"], user, "{way}");
        let answer = program.get(&format!("/rooms{query}"), &headers);
        assert_eq!(answer.status, 200, "{way}");
    }
}

#[test]
fn the_token_is_never_given_back_as_a_subprotocol() {
    let program = Chat::with(&[], &[("CHAT_SECRET", SECRET)]);
    for (offer, answered) in [("bearer.", None), ("chat, bearer.", Some("chat"))] {
        let headers = format!("Sec-WebSocket-Protocol: {offer}{GOOD}\r\n");
        let client = Client::connect_with(program.addr, "/chat/lobby", &headers);
        let said = client.answer.header("sec-websocket-protocol");
        assert_eq!(said, answered, "{offer}");
        let mut values = client.answer.headers.iter().map(|(_, value)| value);
        assert!(!values.any(|value| value.contains(GOOD)), "{offer}");
    }
}

/// A5, A7
#[test]
fn without_a_token_or_with_a_bad_one_nobody_comes_in() {
    for arguments in [&[][..], &["--guests"]] {
        let program = Chat::with(arguments, &[("CHAT_SECRET", SECRET)]);
        for (name, token) in BAD {
            for (way, query, headers) in ways(token) {
                refused(
                    &program,
                    &query,
                    &headers,
                    "Invalid token",
                    &format!("{name}, {way}"),
                );
            }
        }
        refused(&program, "?token=", "", "Invalid token", "an empty one");
    }
    let program = Chat::with(&[], &[("CHAT_SECRET", SECRET)]);
    let basic = "Authorization: Basic QWRhOkFkYQ==\r\n";
    for (name, query, headers) in [
        ("none", "", ""),
        ("only a name", "?user=Ada", ""),
        ("another scheme", "", basic),
        (
            "another subprotocol",
            "",
            "Sec-WebSocket-Protocol: chat\r\n",
        ),
    ] {
        refused(&program, query, headers, "Authentication required", name);
    }
}

/// Neither sockets nor rooms are open to it.
fn refused(program: &Chat, query: &str, headers: &str, message: &str, name: &str) {
    let path = format!("/chat/lobby{query}");
    let socket = Client::try_connect(program.addr, &path, headers).err();
    let socket = socket.unwrap_or_else(|| panic!("a token {name} lets in"));
    let rooms = program.get(&format!("/rooms{query}"), headers);
    let info = program.get(&format!("/rooms/lobby/info{query}"), headers);
    for answer in [socket, rooms, info] {
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{name}");
        let expected = json!({ "type": "error", "message": message });
        assert_eq!(json_of(&answer), expected, "{name}");
    }
}

#[test]
fn signing_in_gives_a_jwt_for_twelve_hours() {
    let program = Chat::start();
    let answer = json_of(&program.post("/api/login", "", r#"{"name":"  Bröök 🦊\n\u0007 "}"#));
    let token = answer["token"].as_str().expect("a token");
    let parts: Vec<_> = token.split('.').collect();
    let [header, claims, _signature] = parts[..] else {
        panic!("{token}")
    };
    assert_eq!(decoded(header)["alg"], "HS256");
    let claims = decoded(claims);
    assert_eq!(
        (&claims["sub"], &claims["name"]),
        (&answer["user"]["id"], &json!("Bröök 🦊"))
    );
    let life = claims["exp"].as_u64().expect("exp") - claims["iat"].as_u64().expect("iat");
    assert_eq!(
        (life, &answer["expiresIn"]),
        (12 * 3_600, &json!(12 * 3_600))
    );
    let (_, welcome) = program.enter("lobby", token);
    assert_eq!(welcome["you"], answer["user"]);
}

/// Base64 for addresses, without padding (RFC 4648 §5), of JSON.
fn decoded(part: &str) -> Value {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits: String = part
        .chars()
        .map(|c| format!("{:06b}", alphabet.find(c).expect("base64")))
        .collect();
    let byte = |bits: &[u8]| u8::from_str_radix(std::str::from_utf8(bits).expect("bits"), 2);
    let bytes = bits
        .as_bytes()
        .chunks_exact(8)
        .map(|bits| byte(bits).expect("a byte"));
    serde_json::from_slice(&bytes.collect::<Vec<_>>()).expect("JSON")
}

#[test]
fn names_that_cannot_be_shown_are_refused_and_long_ones_are_cut() {
    let program = Chat::start();
    let bad = [
        ("nothing", ""),
        ("no JSON", "Ada"),
        ("no name", "{}"),
        ("a number", r#"{"name":7}"#),
        ("an empty one", r#"{"name":""}"#),
        ("a blank one", r#"{"name":" \n "}"#),
        ("one of control characters", r#"{"name":"\u0000\u0007"}"#),
        ("nested deeply", &"[".repeat(30_000)),
    ];
    for (name, body) in bad {
        let answer = program.post("/api/login", "", body);
        assert_eq!(answer.status, 400, "{name}");
        assert_eq!(json_of(&answer)["type"], "error", "{name}");
    }
    let long = json!({ "name": "é".repeat(200) }).to_string();
    let answer = json_of(&program.post("/api/login", "", &long));
    assert_eq!(answer["user"]["name"], "é".repeat(40));
    let huge = json!({ "name": "x".repeat(100_000) }).to_string();
    assert_eq!(program.post("/api/login", "", &huge).status, 413);
}

#[test]
fn who_signs_in_with_a_token_for_the_same_name_keeps_the_id() {
    let program = Chat::start();
    let token = program.login("Ada");
    let id = |name: &str, headers: &str| {
        let body = json!({ "name": name }).to_string();
        json_of(&program.post("/api/login", headers, &body))["user"]["id"].clone()
    };
    let (_, welcome) = program.enter("lobby", &token);
    let own = welcome["you"]["id"].clone();
    assert_eq!(id("Ada", &bearer(&token)), own);
    assert_ne!(id("Ada", ""), own, "a name alone proves nothing");
    assert_ne!(
        id("Brook", &bearer(&token)),
        own,
        "another name is another person"
    );
    assert_ne!(id("Ada", &bearer("garbage")), own);
}

#[test]
fn tokens_outlive_the_program_only_with_a_secret_of_its_own() {
    let lets_in = |program: &Chat, token: &str| program.get("/rooms", &bearer(token)).status == 200;
    for (settings, outlives) in [(&[("CHAT_SECRET", SECRET)][..], true), (&[], false)] {
        let first = Chat::with(&[], settings);
        let token = first.login("Ada");
        assert!(lets_in(&first, &token));
        drop(first);
        assert_eq!(lets_in(&Chat::with(&[], settings), &token), outlives);
    }
}

#[test]
fn a_secret_that_can_be_guessed_and_an_unknown_option_are_refused_at_the_start() {
    let cases = [
        (&[][..], &[("CHAT_SECRET", "short")][..], "CHAT_SECRET"),
        (&["--guest"], &[], "--guest"),
    ];
    for (arguments, settings, named) in cases {
        let said = refusal(command(arguments, settings));
        assert!(said.contains(named), "{said}");
    }
}

/// A16: `?user=`, and Anonymous without it.
#[test]
fn guests_come_in_without_a_token_if_they_are_allowed_to() {
    let program = Chat::with(&["--guests"], &[]);
    let cases = [
        ("?user=Br%C3%B6%C3%B6k%20%F0%9F%A6%8A", "Bröök 🦊"),
        ("?user=", "Anonymous"),
        ("?user=%20%0A", "Anonymous"),
        ("", "Anonymous"),
    ];
    for (room, (query, name)) in cases.into_iter().enumerate() {
        let mut guest = Client::connect(program.addr, &format!("/chat/{room}{query}"));
        let you = shown(&mut guest)["you"].clone();
        assert_eq!(
            (&you["name"], &you["guest"]),
            (&json!(name), &json!(true)),
            "{query}"
        );
        hears_nothing(&mut guest);
    }
    let (_ada, welcome) = program.join("lobby", "Ada");
    assert_eq!(
        welcome["you"].get("guest"),
        None,
        "whoever signs in is no guest"
    );
    assert_eq!(program.get("/rooms", "").status, 200);
}
