//! What stands on the command line. `main` reads it once.

use std::str::FromStr;
use std::time::Duration;

use rushwire::{ByteRate, ConnectionRate, Options, Rate};

/// All that can be set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) address: String,
    /// So many in so long a time.
    pub(crate) connections: (u32, Duration),
    pub(crate) messages: (u32, Duration),
    pub(crate) bytes: (u64, Duration),
    pub(crate) per_ip: usize,
    pub(crate) room: usize,
    pub(crate) allow: Vec<String>,
    pub(crate) deny: Vec<String>,
    pub(crate) trust: Vec<String>,
    pub(crate) timeout: Duration,
    pub(crate) heartbeat: Duration,
    pub(crate) pong: Duration,
    pub(crate) beat: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        let minute = Duration::from_secs(60);
        Self {
            address: "127.0.0.1:3000".to_owned(),
            connections: (60, minute),
            messages: (60, minute),
            bytes: (256 * 1024, minute),
            per_ip: 25,
            room: 10,
            allow: Vec::new(),
            deny: vec!["203.0.113.0/24".to_owned()],
            trust: vec!["127.0.0.0/8".to_owned(), "::1".to_owned()],
            timeout: minute,
            heartbeat: Duration::from_secs(30),
            pong: Duration::from_secs(45),
            beat: Duration::from_secs(5),
        }
    }
}

impl Settings {
    /// Reads the words behind the program's name: an address, and options as `--name value` or
    /// `--name=value`.
    ///
    /// # Errors
    ///
    /// Quotes what cannot be read. Whether numbers and networks make sense is for the library to say.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Self, String> {
        let mut settings = Self::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            let Some(option) = word.strip_prefix("--") else {
                settings.address = word;
                continue;
            };
            let (name, value) = match option.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => {
                    let value = words.next();
                    (
                        option,
                        value.ok_or_else(|| format!("--{option} needs a value"))?,
                    )
                }
            };
            let set = settings.set(name, &value);
            set.map_err(|wanted| format!("--{name} {value:?}: wanted is {wanted}"))?;
        }
        Ok(settings)
    }

    /// `Err` is what would have been right.
    fn set(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match name {
            "connections" => self.connections = rate(value)?,
            "messages" => self.messages = rate(value)?,
            "bytes" => self.bytes = rate(value)?,
            "per-ip" => self.per_ip = number(value)?,
            "room" => self.room = number(value)?,
            "allow" => self.allow = list(value),
            "deny" => self.deny = list(value),
            "trust" => self.trust = list(value),
            "timeout" => self.timeout = span(value)?,
            "heartbeat" => self.heartbeat = span(value)?,
            "pong" => self.pong = span(value)?,
            "beat" => self.beat = span(value)?,
            _ => return Err("another option: this is none"),
        }
        Ok(())
    }

    /// What of this the library does by itself: most of it.
    pub(crate) fn options(&self) -> Options {
        Options {
            allow_addresses: self.allow.clone(),
            deny_addresses: self.deny.clone(),
            trusted_proxies: self.trust.clone(),
            connection_rate: Some(ConnectionRate {
                connections: self.connections.0,
                per: self.connections.1,
            }),
            max_connections_per_ip: Some(self.per_ip),
            message_rate: Some(Rate {
                messages: self.messages.0,
                per: self.messages.1,
            }),
            byte_rate: Some(ByteRate {
                bytes: self.bytes.0,
                per: self.bytes.1,
            }),
            max_room_size: Some(self.room),
            heartbeat: self.heartbeat,
            pong_timeout: self.pong,
            max_connections: 1_000,
            max_message_size: 16 * 1024,
            ..Options::default()
        }
    }
}

fn number<T: FromStr>(text: &str) -> Result<T, &'static str> {
    text.parse().map_err(|_| "a number")
}

/// `60/60s`: so many in so long a time.
fn rate<T: FromStr>(text: &str) -> Result<(T, Duration), &'static str> {
    let wanted = "a rate such as 60/60s";
    let (count, per) = text.split_once('/').ok_or(wanted)?;
    let count = number(count).map_err(|_| wanted)?;
    Ok((count, span(per).map_err(|_| wanted)?))
}

/// `500ms`, `60s`, `2m`.
fn span(text: &str) -> Result<Duration, &'static str> {
    let wanted = "a time such as 500ms, 60s or 2m";
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let count: u32 = digits.parse().map_err(|_| wanted)?;
    let unit = match &text[digits.len()..] {
        "ms" => Duration::from_millis(1),
        "s" => Duration::from_secs(1),
        "m" => Duration::from_secs(60),
        _ => return Err(wanted),
    };
    Ok(unit * count)
}

/// Commas between; `none` is nothing.
fn list(text: &str) -> Vec<String> {
    let parts = text.split(',').map(str::trim);
    let parts = parts.filter(|part| !part.is_empty() && *part != "none");
    parts.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &str) -> Result<Settings, String> {
        Settings::parse(words.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_may_stand_anywhere_and_in_two_ways() {
        let settings =
            parse("--room=3 [::1]:0 --messages 5/500ms --allow 10.0.0.0/8,::1 --timeout 2m");
        let expected = Settings {
            address: "[::1]:0".to_owned(),
            room: 3,
            messages: (5, Duration::from_millis(500)),
            allow: vec!["10.0.0.0/8".to_owned(), "::1".to_owned()],
            timeout: Duration::from_secs(120),
            ..Settings::default()
        };
        assert_eq!(settings, Ok(expected));
        assert_eq!(
            parse("--trust none").map(|settings| settings.trust),
            Ok(vec![])
        );
    }

    #[test]
    fn what_cannot_be_read_is_quoted() {
        let cases = [
            (
                "--rooms 3",
                r#"--rooms "3": wanted is another option: this is none"#,
            ),
            ("--room", "--room needs a value"),
            ("--room three", r#"--room "three": wanted is a number"#),
            ("--room -1", r#"--room "-1": wanted is a number"#),
            (
                "--messages 60",
                r#"--messages "60": wanted is a rate such as 60/60s"#,
            ),
            (
                "--messages 60/60",
                r#"--messages "60/60": wanted is a rate such as 60/60s"#,
            ),
            (
                "--timeout 60",
                r#"--timeout "60": wanted is a time such as 500ms, 60s or 2m"#,
            ),
            (
                "--beat 5h",
                r#"--beat "5h": wanted is a time such as 500ms, 60s or 2m"#,
            ),
            (
                "--beat s",
                r#"--beat "s": wanted is a time such as 500ms, 60s or 2m"#,
            ),
        ];
        for (words, message) in cases {
            assert_eq!(parse(words), Err(message.to_owned()), "{words}");
        }
    }
}
