//! The notifications example, as its page talks to it: a whole program, in a process of its own. A5,
//! A10 and A22.
#![cfg(unix)]

mod common;

/// Its own tests run here: `cargo test` does not run what stands in an example.
#[path = "../examples/notifications/auth.rs"]
#[allow(dead_code, reason = "only what the inbox needs is wanted")]
mod auth;
#[path = "../examples/notifications/inbox.rs"]
#[allow(dead_code, reason = "only its tests are wanted")]
mod inbox;
#[path = "../examples/shared/tokens.rs"]
#[allow(dead_code, reason = "only what `auth` needs is wanted")]
mod tokens;

use common::Client;
use common::example::{Example, hear, say};
use common::http::{self, Answer};
use serde_json::{Value, json};

/// The program, and what is asked of it over HTTP.
struct News(Example);

/// Somebody who has a token.
struct Person {
    id: String,
    token: String,
}

impl News {
    fn start() -> Self {
        Self(Example::start("notifications", &[]))
    }

    fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        let bearer = match token {
            "" => String::new(),
            token => format!("Authorization: Bearer {token}\r\n"),
        };
        let len = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}");
        http::request(
            self.0.addr,
            format!("{head}Content-Length: {len}\r\n\r\n{body}"),
        )
    }

    /// An answer that is 200.
    fn get(&self, method: &str, path: &str, person: &Person, body: &Value) -> Value {
        let answer = self.ask(method, path, &person.token, &body.to_string());
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        json_of(&answer)
    }

    fn login(&self, name: &str, role: &str) -> Person {
        let body = json!({ "name": name, "role": role }).to_string();
        let answer = self.ask("POST", "/api/login", "", &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = json_of(&answer);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        Person {
            id: text(&answer["user"]["id"]),
            token: text(&answer["token"]),
        }
    }

    /// Connects; gives what waited.
    fn connect(&self, person: &Person) -> (Client, Value) {
        let path = format!("/live?token={}", person.token);
        let mut client = Client::connect(self.0.addr, &path);
        let welcome = hear(&mut client);
        assert_eq!(welcome["type"], "authenticated");
        assert_eq!(welcome["user"]["id"], person.id.as_str());
        let pending = hear(&mut client);
        assert_eq!(pending["type"], "pending", "{pending}");
        (client, pending)
    }

    fn notify(&self, admin: &Person, body: &Value) -> Value {
        self.get("POST", "/api/notify", admin, body)
    }

    /// Waits until the server has noticed who is here.
    fn until_online(&self, admin: &Person, id: &str, online: bool) {
        common::until("the server has noticed", || {
            let users = self.get("GET", "/api/users", admin, &json!({}));
            let mut users = users.as_array().expect("users").iter();
            users.any(|user| user["id"] == id && user["online"] == online)
        });
    }
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_str(answer.text()).expect("JSON")
}

fn subscribe(client: &mut Client, channel: &str) {
    say(client, &json!({ "type": "subscribe", "channel": channel }));
    assert_eq!(
        hear(client),
        json!({ "type": "subscribed", "channel": channel })
    );
}

/// Nothing waits for this client: the answer to what it says next is the next thing that it hears.
fn hears_nothing(client: &mut Client) {
    say(client, &json!({ "type": "no such type" }));
    assert_eq!(
        hear(client),
        json!({ "type": "error", "message": "Unknown message type" })
    );
}

fn texts(notifications: &Value) -> Vec<&str> {
    let all = notifications.as_array().expect("notifications").iter();
    all.map(|one| one["text"].as_str().expect("a text"))
        .collect()
}

/// An `update` on a channel, without its time, which is ISO 8601 in UTC.
fn hear_update(client: &mut Client) -> (String, Value) {
    let mut update = hear(client);
    assert_eq!(update["type"], "update", "{update}");
    assert!(is_timestamp(&update["timestamp"]), "{update}");
    let channel = update["channel"].as_str().expect("a channel").to_owned();
    let object = update.as_object_mut().expect("an object");
    assert_eq!(object.len(), 4, "{object:?}");
    (channel, update["data"].take())
}

fn is_timestamp(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default();
    let digit = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = text.chars().map(digit).collect();
    shape == "0000-00-00T00:00:00.000Z" && text > "2026"
}

#[test]
fn the_page_is_there_and_loads_nothing_from_elsewhere() {
    let news = News::start();
    let page = http::get(news.0.addr, "/");
    let kind = page.header("content-type").unwrap_or_default();
    assert!(page.status == 200 && kind.starts_with("text/html"));
    let policy = page.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    assert!(!page.text().contains("innerHTML") && !page.text().contains("https://"));
    assert_eq!(http::get(news.0.addr, "/other").status, 404);
}

/// A5: the token may stand in any of three places.
#[test]
fn a_token_opens_a_socket_from_the_query_the_header_or_a_subprotocol() {
    let news = News::start();
    let ada = news.login("Ada", "reader");
    let bearer = format!("Authorization: Bearer {}\r\n", ada.token);
    let offered = format!("Sec-WebSocket-Protocol: live, bearer.{}\r\n", ada.token);
    let ways = [
        ("the query", format!("/live?token={}", ada.token), "", None),
        ("the header", "/live".to_owned(), bearer.as_str(), None),
        ("a subprotocol", "/live".to_owned(), &offered, Some("live")),
    ];
    for (way, path, headers, protocol) in ways {
        let mut client = Client::connect_with(news.0.addr, &path, headers);
        let spoken = client.answer.header("sec-websocket-protocol");
        assert_eq!(spoken, protocol, "{way}");
        let user = json!({ "id": "ada", "name": "Ada", "role": "reader" });
        let welcome = json!({ "type": "authenticated", "user": user });
        assert_eq!(hear(&mut client), welcome, "{way}");
    }
}

/// A5: who is not let in is told why, before there is a socket.
#[test]
fn without_a_good_token_nothing_opens() {
    let news = News::start();
    let token = news.login("Ada", "admin").token;
    let other = News::start().login("Ada", "admin").token;
    let (start, signature) = token.rsplit_once('.').expect("a signature");
    let (header, claims) = start.split_once('.').expect("claims");
    // {"alg":"none"}
    let unsigned = format!("eyJhbGciOiJub25lIn0.{claims}.");
    let cases = [
        ("none", "/live".to_owned(), "Authentication required"),
        ("an empty one", "/live?token=".to_owned(), "Invalid token"),
        ("no token", "/live?token=abc".to_owned(), "Invalid token"),
        (
            "another key",
            format!("/live?token={other}"),
            "Invalid token",
        ),
        (
            "no algorithm",
            format!("/live?token={unsigned}"),
            "Invalid token",
        ),
        (
            "other claims",
            format!("/live?token={header}.{claims}x.{signature}"),
            "Invalid token",
        ),
    ];
    for (name, path, message) in cases {
        let refused = Client::try_connect(news.0.addr, &path, "");
        let answer = refused.err().expect(name);
        assert_eq!(answer.status, 401, "{name}");
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"), "{name}");
        let error = json!({ "type": "error", "message": message });
        assert_eq!(json_of(&answer), error, "{name}");
    }
    let routes = [
        ("GET", "/api/me"),
        ("GET", "/api/users"),
        ("GET", "/api/channels"),
        ("GET", "/api/posts"),
        ("POST", "/api/posts"),
        ("PUT", "/api/posts/1"),
        ("POST", "/api/notify"),
    ];
    for (method, path) in routes {
        assert_eq!(news.ask(method, path, "", "{}").status, 401, "{path}");
        assert_eq!(news.ask(method, path, &other, "{}").status, 401, "{path}");
    }
}

/// A5: a name and a role make a token, and the same name is the same person.
#[test]
fn logging_in_gives_a_token_that_says_who_one_is() {
    let news = News::start();
    let ada = news.login("  Ada\t Lovelace ", "editor");
    let me = news.get("GET", "/api/me", &ada, &json!({}));
    assert_eq!(
        me,
        json!({ "id": "ada-lovelace", "name": "Ada Lovelace", "role": "editor" })
    );
    assert_eq!(news.login("ada lovelace", "admin").id, ada.id);
    let cases = [
        (r#"{"name":"","role":"admin"}"#, "Please choose a name"),
        (r#"{"name":" \n ","role":"admin"}"#, "Please choose a name"),
        (r#"{"role":"admin"}"#, "Please choose a name"),
        (
            r#"{"name":"Ada","role":"king"}"#,
            "The role is admin, editor or reader",
        ),
        ("name=Ada", "Invalid message format"),
    ];
    for (body, message) in cases {
        let answer = news.ask("POST", "/api/login", "", body);
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(json_of(&answer)["message"], message, "{body}");
    }
}

/// A22: the room `user:<id>`.
#[test]
fn a_notification_reaches_all_connections_of_one_user_and_nobody_else() {
    let news = News::start();
    let (admin, ada) = (news.login("Root", "admin"), news.login("Ada", "reader"));
    let brook = news.login("Brook", "reader");
    let (mut one, mut two) = (news.connect(&ada).0, news.connect(&ada).0);
    let mut other = news.connect(&brook).0;
    let answer = news.notify(&admin, &json!({ "user": "ada", "text": "Hello Ada" }));
    assert_eq!(
        answer,
        json!({ "success": true, "notified": 1, "pending": 0 })
    );
    let heard = hear(&mut one);
    assert_eq!(heard, hear(&mut two));
    assert!(is_timestamp(&heard["notification"]["timestamp"]), "{heard}");
    let time = &heard["notification"]["timestamp"];
    let from = json!({ "id": "root", "name": "Root" });
    assert_eq!(
        heard,
        json!({ "type": "notification", "notification": {
            "id": 1, "text": "Hello Ada", "from": from, "to": "user:ada", "timestamp": time } })
    );
    hears_nothing(&mut other);
}

/// A22: the rooms `role:<role>`.
#[test]
fn a_notification_for_a_role_reaches_those_here_and_waits_for_those_away() {
    let news = News::start();
    let admin = news.login("Root", "admin");
    let (ada, brook) = (news.login("Ada", "editor"), news.login("Brook", "editor"));
    let (mut here, _) = news.connect(&ada);
    let (mut other, _) = news.connect(&news.login("Cleo", "reader"));
    let answer = news.notify(&admin, &json!({ "role": "editor", "text": "Meeting at 3" }));
    assert_eq!(
        answer,
        json!({ "success": true, "notified": 2, "pending": 1 })
    );
    let heard = hear(&mut here);
    assert_eq!(heard["notification"]["to"], "role:editor");
    let (_, pending) = news.connect(&brook);
    assert_eq!(pending["notifications"], json!([heard["notification"]]));
    hears_nothing(&mut other);
}

/// A22: pending notifications on connect, in order, until they are read.
#[test]
fn what_came_while_one_was_away_waits_until_it_is_read() {
    let news = News::start();
    let (admin, ada) = (news.login("Root", "admin"), news.login("Ada", "reader"));
    for text in ["one", "two", "three"] {
        let answer = news.notify(&admin, &json!({ "user": "ada", "text": text }));
        assert_eq!(answer["pending"], 1);
    }
    let (mut client, pending) = news.connect(&ada);
    let waiting = &pending["notifications"];
    assert_eq!(texts(waiting), ["one", "two", "three"]);
    assert_eq!(pending["missed"], 0);

    // A connection that is cut before anything was read takes nothing along.
    drop(client);
    news.until_online(&admin, "ada", false);
    let (again, pending) = news.connect(&ada);
    client = again;
    assert_eq!(texts(&pending["notifications"]), ["one", "two", "three"]);

    let (mut other, _) = news.connect(&ada);
    let id = &pending["notifications"][1]["id"];
    say(&mut client, &json!({ "type": "read", "ids": [id, 999] }));
    for connection in [&mut client, &mut other] {
        assert_eq!(hear(connection), json!({ "type": "read", "ids": [id] }));
    }
    let (_, pending) = news.connect(&ada);
    assert_eq!(texts(&pending["notifications"]), ["one", "three"]);
    say(&mut client, &json!({ "type": "read", "all": true }));
    assert_eq!(hear(&mut client)["ids"].as_array().map(Vec::len), Some(2));
    let (_, pending) = news.connect(&ada);
    assert_eq!(pending["notifications"], json!([]));
}

/// A22: what is kept for one person is bounded, and they are told how many gave way.
#[test]
fn a_full_inbox_drops_the_oldest_and_says_how_many() {
    let news = News::start();
    let (admin, ada) = (news.login("Root", "admin"), news.login("Ada", "reader"));
    for number in 0..inbox::KEPT + 2 {
        news.notify(
            &admin,
            &json!({ "user": "ada", "text": number.to_string() }),
        );
    }
    let (_, pending) = news.connect(&ada);
    let texts = texts(&pending["notifications"]);
    assert_eq!((texts.len(), texts[0]), (inbox::KEPT, "2"));
    assert_eq!(pending["missed"], 2);
    assert_eq!(news.connect(&ada).1["missed"], 0, "it is said once");
}

/// A22: `POST /api/notify` is for admins, and says what is wrong.
#[test]
fn only_an_admin_notifies_and_only_somebody_who_is_known() {
    let news = News::start();
    let (admin, editor) = (news.login("Root", "admin"), news.login("Ada", "editor"));
    let good = r#"{"user":"ada","text":"hi"}"#;
    let cases = [
        ("an editor", &editor, good, 403, "Only an admin may do that"),
        (
            "an unknown user",
            &admin,
            r#"{"user":"nobody","text":"hi"}"#,
            404,
            "Nobody of that name or role is known",
        ),
        (
            "a role of nobody",
            &admin,
            r#"{"role":"reader","text":"hi"}"#,
            404,
            "Nobody of that name or role is known",
        ),
        (
            "an unknown role",
            &admin,
            r#"{"role":"king","text":"hi"}"#,
            400,
            "Name a user or a role",
        ),
        (
            "both",
            &admin,
            r#"{"role":"admin","user":"ada","text":"hi"}"#,
            400,
            "Name a user or a role",
        ),
        (
            "nobody",
            &admin,
            r#"{"text":"hi"}"#,
            400,
            "Name a user or a role",
        ),
        (
            "no text",
            &admin,
            r#"{"user":"ada"}"#,
            400,
            "A notification needs a text",
        ),
        ("no JSON", &admin, "hi", 400, "Invalid message format"),
    ];
    for (name, person, body, status, message) in cases {
        let answer = news.ask("POST", "/api/notify", &person.token, body);
        assert_eq!(
            (answer.status, &json_of(&answer)["message"]),
            (status, &json!(message)),
            "{name}"
        );
    }
}

/// A10: subscribe, unsubscribe, and what a subscriber hears.
#[test]
fn only_subscribers_of_a_channel_hear_what_is_published_there() {
    let news = News::start();
    let ada = news.login("Ada", "editor");
    let (mut one, mut two) = (news.connect(&ada).0, news.connect(&ada).0);
    subscribe(&mut one, "posts");
    subscribe(&mut one, "posts");
    let body = json!({ "title": "First", "text": "Hello" });
    let answer = news.get("POST", "/api/posts", &ada, &body);
    let post = &answer["post"];
    assert_eq!(answer, json!({ "success": true, "post": post }));
    assert!(is_timestamp(&post["createdAt"]), "{post}");
    let expected = json!({ "id": 1, "title": "First", "text": "Hello", "editedAt": null,
        "author": { "id": "ada", "name": "Ada" }, "createdAt": post["createdAt"] });
    assert_eq!(*post, expected);
    let update = hear_update(&mut one);
    let news_of_it = json!({ "type": "new-post", "post": post });
    assert_eq!(update, ("posts".to_owned(), news_of_it));
    hears_nothing(&mut one);
    hears_nothing(&mut two);
    assert_eq!(
        news.get("GET", "/api/posts", &ada, &json!({})),
        json!([post])
    );

    say(
        &mut one,
        &json!({ "type": "unsubscribe", "channel": "posts" }),
    );
    let done = json!({ "type": "unsubscribed", "channel": "posts" });
    assert_eq!(hear(&mut one), done);
    news.get("POST", "/api/posts", &ada, &json!({ "title": "Second" }));
    hears_nothing(&mut one);
}

/// A10: `PUT /api/posts/:id` is told on two channels.
#[test]
fn a_changed_post_is_told_on_the_posts_and_on_its_own_channel() {
    let news = News::start();
    let (ada, brook) = (news.login("Ada", "editor"), news.login("Brook", "editor"));
    for title in ["First", "Second"] {
        news.get("POST", "/api/posts", &ada, &json!({ "title": title }));
    }
    let (mut all, mut first, mut second) = (
        news.connect(&brook).0,
        news.connect(&brook).0,
        news.connect(&brook).0,
    );
    subscribe(&mut all, "posts");
    subscribe(&mut first, "post-1");
    subscribe(&mut second, "post-2");
    let answer = news.get("PUT", "/api/posts/1", &ada, &json!({ "text": "More" }));
    let post = &answer["post"];
    assert_eq!(answer["success"], true);
    assert_eq!(
        (&post["title"], &post["text"]),
        (&json!("First"), &json!("More"))
    );
    assert!(is_timestamp(&post["editedAt"]), "{post}");
    let told = |kind: &str| json!({ "type": kind, "post": post });
    assert_eq!(
        hear_update(&mut all),
        ("posts".to_owned(), told("post-updated"))
    );
    assert_eq!(
        hear_update(&mut first),
        ("post-1".to_owned(), told("updated"))
    );
    for client in [&mut all, &mut first, &mut second] {
        hears_nothing(client);
    }
}

/// A10: what makes no sense changes nothing, and is told to nobody.
#[test]
fn a_post_is_changed_by_its_author_or_an_admin_only() {
    let news = News::start();
    let (ada, brook) = (news.login("Ada", "editor"), news.login("Brook", "editor"));
    let admin = news.login("Root", "admin");
    news.get("POST", "/api/posts", &ada, &json!({ "title": "First" }));
    let (mut client, _) = news.connect(&brook);
    subscribe(&mut client, "posts");
    let title = r#"{"title":"Mine"}"#;
    let cases = [
        ("another's", "PUT", "/api/posts/1", &brook, title, 403),
        ("none there", "PUT", "/api/posts/9", &ada, title, 404),
        ("no number", "PUT", "/api/posts/x", &ada, title, 404),
        (
            "empty",
            "PUT",
            "/api/posts/1",
            &ada,
            r#"{"title":" "}"#,
            400,
        ),
        ("no text", "PUT", "/api/posts/1", &ada, r#"{"text":7}"#, 400),
        ("no title", "POST", "/api/posts", &ada, "{}", 400),
        ("no object", "POST", "/api/posts", &ada, "[1]", 400),
        ("no JSON", "POST", "/api/posts", &ada, "title", 400),
    ];
    for (name, method, path, person, body, status) in cases {
        let answer = news.ask(method, path, &person.token, body);
        assert_eq!(answer.status, status, "{name}");
        assert!(json_of(&answer)["message"].is_string(), "{name}");
    }
    hears_nothing(&mut client);
    let answer = news.get("PUT", "/api/posts/1", &admin, &json!({ "title": "Ours" }));
    assert_eq!(answer["post"]["title"], "Ours");
    assert_eq!(answer["post"]["author"]["id"], "ada");
}

/// A10: all channels are dropped when a connection ends, however it ends.
#[test]
fn all_channels_are_dropped_on_close() {
    let news = News::start();
    let ada = news.login("Ada", "reader");
    let (mut closes, mut breaks) = (news.connect(&ada).0, news.connect(&ada).0);
    for channel in ["posts", "post-1", "weather"] {
        subscribe(&mut closes, channel);
    }
    subscribe(&mut breaks, "posts");
    let channels = || news.get("GET", "/api/channels", &ada, &json!({}));
    assert_eq!(channels(), json!({ "posts": 2, "post-1": 1, "weather": 1 }));
    closes.send_close(1000, "");
    closes.expect_close(1000);
    common::until("the first is forgotten", || {
        channels() == json!({ "posts": 1 })
    });
    drop(breaks);
    common::until("the second, too", || channels() == json!({}));
}

/// A10: nonsense is answered, and nobody gets at what is meant for others.
#[test]
fn nonsense_is_answered_with_an_error_and_survived() {
    let news = News::start();
    let (admin, ada) = (news.login("Root", "admin"), news.login("Ada", "reader"));
    let (mut client, _) = news.connect(&ada);
    let (format, channel) = ("Invalid message format", "Invalid channel");
    let long = format!(r#"{{"type":"subscribe","channel":"{}"}}"#, "x".repeat(101));
    let cases = [
        ("hello", format),
        ("", format),
        ("7", format),
        (r#"{"channel":"posts"}"#, format),
        (r#"{"type":7}"#, format),
        (r#"{"type":"read"}"#, format),
        (r#"{"type":"read","ids":7}"#, format),
        (r#"{"type":"dance"}"#, "Unknown message type"),
        (r#"{"type":"subscribe"}"#, channel),
        (r#"{"type":"subscribe","channel":""}"#, channel),
        (r#"{"type":"subscribe","channel":["posts"]}"#, channel),
        (r#"{"type":"unsubscribe"}"#, channel),
        (long.as_str(), channel),
    ];
    for (said, message) in cases {
        client.send(said);
        let error = json!({ "type": "error", "message": message });
        assert_eq!(hear(&mut client), error, "{said}");
    }
    // These are channels like any other, not the rooms that have such names.
    for room in ["user:root", "role:admin"] {
        subscribe(&mut client, room);
    }
    news.notify(&admin, &json!({ "user": "root", "text": "secret" }));
    news.notify(&admin, &json!({ "role": "admin", "text": "secret" }));
    hears_nothing(&mut client);
    say(
        &mut client,
        &json!({ "type": "unsubscribe", "channel": "never subscribed" }),
    );
    assert_eq!(hear(&mut client)["type"], "unsubscribed");
}

/// A10: one connection holds only so many channels.
#[test]
fn too_many_channels_are_refused() {
    let news = News::start();
    let (mut client, _) = news.connect(&news.login("Ada", "reader"));
    // A socket may be in a hundred rooms, and two are those of the user and the role.
    for number in 0..98 {
        subscribe(&mut client, &number.to_string());
    }
    say(
        &mut client,
        &json!({ "type": "subscribe", "channel": "98" }),
    );
    let error = json!({ "type": "error", "message": "Too many channels" });
    assert_eq!(hear(&mut client), error);
}

/// A10: who says too much is told so, with how long to wait, and stays.
#[test]
fn who_says_too_much_is_told_so_and_stays() {
    let news = News::start();
    let (mut client, _) = news.connect(&news.login("Ada", "reader"));
    let message = json!({ "type": "unsubscribe", "channel": "x" }).to_string();
    (0..400).for_each(|_| client.send(&message));
    let heard: Vec<Value> = (0..400).map(|_| hear(&mut client)).collect();
    let refused = heard.iter().filter(|one| one["type"] == "error");
    let refused: Vec<&Value> = refused.collect();
    assert!((200..=280).contains(&refused.len()), "{}", refused.len());
    for one in refused {
        assert_eq!(one["message"], "Rate limit exceeded");
        assert!(
            one["retryAfter"].as_u64().is_some_and(|wait| wait <= 1_000),
            "{one}"
        );
    }
}

#[test]
fn sigterm_closes_everyone_with_1001_and_ends_well() {
    let mut news = News::start();
    let (mut client, _) = news.connect(&news.login("Ada", "reader"));
    news.0.signal("-TERM");
    client.expect_close(1001);
    assert_eq!(news.0.end(), Some(0));
}
