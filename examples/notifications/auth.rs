//! Who somebody is: tokens that say it, and where a request carries them.
//!
//! A token is a JWT signed with HS256 (RFC 7519).

use std::io::{Error, ErrorKind};
use std::time::Duration;

use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, Token, UntrustedToken};
use rushwire::{Request, Response, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// How long a token is good, and how long a connection may last.
pub(crate) const LIFE: Duration = Duration::from_secs(12 * 3_600);
/// The subprotocol that the server speaks, and how a token is offered beside it.
pub(crate) const PROTOCOL: &str = "live";
const BEARER: &str = "bearer.";

/// The longest name, in characters.
const LONGEST_NAME: usize = 40;
const SHORTEST_SECRET: usize = 32;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Role {
    /// Sends notifications, and changes anybody's posts.
    Admin,
    Editor,
    Reader,
}

impl Role {
    /// The role of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let all = [Self::Admin, Self::Editor, Self::Reader];
        all.into_iter().find(|role| role.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Editor => "editor",
            Self::Reader => "reader",
        }
    }
}

/// Somebody: what a token says, and what their socket carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    /// The same for the same name, so that notifications find who comes back.
    #[serde(rename = "sub")]
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) role: Role,
}

impl User {
    /// As others are told.
    pub(crate) fn json(&self) -> Value {
        json!({ "id": self.id, "name": self.name, "role": self.role })
    }
}

/// Makes tokens and reads them.
pub(crate) struct Auth {
    key: Hs256Key,
}

impl Auth {
    /// Takes the secret from the environment.
    ///
    /// # Errors
    ///
    /// `NOTIFICATIONS_SECRET` is short enough to be guessed, or there is no randomness.
    pub(crate) fn from_env() -> std::io::Result<Self> {
        let set = std::env::var("NOTIFICATIONS_SECRET").ok();
        let key = match set.filter(|secret| !secret.is_empty()) {
            Some(secret) if secret.len() < SHORTEST_SECRET => {
                let why = format!("NOTIFICATIONS_SECRET has less than {SHORTEST_SECRET} bytes");
                return Err(Error::new(ErrorKind::InvalidInput, why));
            }
            Some(secret) => Hs256Key::new(secret),
            None => {
                let mut secret = [0; SHORTEST_SECRET];
                getrandom::fill(&mut secret)?;
                Hs256Key::new(secret)
            }
        };
        Ok(Self { key })
    }

    /// Somebody of that name and role, and their token.
    pub(crate) fn login(&self, name: &str, role: &str) -> Result<(User, String), Response> {
        let role =
            Role::named(role).ok_or_else(|| refuse(400, "The role is admin, editor or reader"))?;
        let name = clean(name, LONGEST_NAME).ok_or_else(|| refuse(400, "Please choose a name"))?;
        let id = name.to_lowercase().replace(' ', "-");
        let user = User { id, name, role };
        let token = self.sign(&user);
        let token = token.ok_or_else(|| refuse(500, "Internal server error"))?;
        Ok((user, token))
    }

    /// Whether a request may become a socket. If so, the user is the socket's.
    pub(crate) fn verify(&self, request: &Request) -> Verdict {
        match self.user(request) {
            Ok(user) => {
                request.set(user);
                Verdict::Accept
            }
            Err(answer) => answer.into(),
        }
    }

    /// Whom a request comes from.
    ///
    /// # Errors
    ///
    /// The answer to someone who has no token, or none that is good.
    pub(crate) fn user(&self, request: &Request) -> Result<User, Response> {
        let token = token_of(request).ok_or_else(|| refuse(401, "Authentication required"))?;
        self.read(token).ok_or_else(|| refuse(401, "Invalid token"))
    }

    /// The admin whom a request comes from.
    pub(crate) fn admin(&self, request: &Request) -> Result<User, Response> {
        let user = self.user(request)?;
        match user.role {
            Role::Admin => Ok(user),
            _ => Err(refuse(403, "Only an admin may do that")),
        }
    }

    fn sign(&self, user: &User) -> Option<String> {
        let life = chrono::Duration::from_std(LIFE).ok()?;
        let claims = Claims::new(user).set_duration_and_issuance(&TimeOptions::default(), life);
        Hs256.token(&Header::empty(), &claims, &self.key).ok()
    }

    /// Whom a token vouches for; nobody if it is not one of ours, or too old.
    fn read(&self, token: &str) -> Option<User> {
        let token = UntrustedToken::new(token).ok()?;
        let token: Token<User> = Hs256.validator(&self.key).validate(&token).ok()?;
        let claims = token.claims().validate_expiration(&TimeOptions::default());
        Some(claims.ok()?.custom.clone())
    }
}

/// The token of a request, wherever it stands. Browsers can set no headers for a socket, and an
/// address is seen in logs: they offer it as a subprotocol.
fn token_of(request: &Request) -> Option<&str> {
    let offered = || {
        request
            .protocols()
            .find_map(|name| name.strip_prefix(BEARER))
    };
    request
        .query("token")
        .or_else(|| bearer(request))
        .or_else(offered)
}

/// What stands behind `Authorization: Bearer` (RFC 6750 §2.1).
fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("Authorization")?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// A text that can be shown on one line: with single spaces, not empty, of `longest` characters at
/// most.
pub(crate) fn clean(text: &str, longest: usize) -> Option<String> {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let text: String = words.join(" ").chars().take(longest).collect();
    let text = text.trim_end().to_owned();
    (!text.is_empty()).then_some(text)
}

/// An answer that says why not, in the words that a socket would hear.
pub(crate) fn refuse(status: u16, why: &str) -> Response {
    let error = json!({ "type": "error", "message": why });
    let response = Response::json(error.to_string()).with_status(status);
    match status {
        401 => response.header("WWW-Authenticate", "Bearer"),
        _ => response,
    }
}
