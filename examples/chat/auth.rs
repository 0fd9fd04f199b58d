//! Who somebody is: tokens that say it, where a request carries them, and the admin's word.
//!
//! A token is a JWT signed with HS256 (RFC 7519). There are no passwords here: a real application
//! asks for one in `login`, and nothing else changes.

use std::io::{Error, ErrorKind};
use std::time::Duration;

use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, Token, UntrustedToken};
use rushwire::{Request, Response, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::said::error;

/// How long a token is good, and how long a connection may last.
pub(crate) const LIFE: Duration = Duration::from_secs(12 * 3_600);
/// The subprotocol that the server speaks, and how a token is offered beside it.
pub(crate) const PROTOCOL: &str = "chat";
const BEARER: &str = "bearer.";

/// The longest name, in characters.
const LONGEST_NAME: usize = 40;
const SHORTEST_SECRET: usize = 32;

/// Somebody: what a token says, and what their socket carries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct User {
    #[serde(rename = "sub")]
    pub(crate) id: String,
    pub(crate) name: String,
    /// Came without a token: nobody vouches for the name.
    #[serde(skip)]
    pub(crate) guest: bool,
}

impl User {
    fn new(name: String, guest: bool) -> Result<Self, getrandom::Error> {
        let id = random::<12>()?;
        let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { id, name, guest })
    }

    /// As others are told.
    pub(crate) fn json(&self) -> Value {
        match self.guest {
            true => json!({ "id": self.id, "name": self.name, "guest": true }),
            false => json!({ "id": self.id, "name": self.name }),
        }
    }
}

/// Makes tokens and reads them.
pub(crate) struct Auth {
    key: Hs256Key,
    admin: Option<String>,
    guests: bool,
}

impl Auth {
    /// Takes the secrets from the environment.
    ///
    /// # Errors
    ///
    /// `CHAT_SECRET` is short enough to be guessed, or there is no randomness.
    pub(crate) fn from_env(guests: bool) -> std::io::Result<Self> {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let key = match set("CHAT_SECRET") {
            Some(secret) if secret.len() < SHORTEST_SECRET => {
                let why = format!("CHAT_SECRET has less than {SHORTEST_SECRET} bytes");
                return Err(Error::new(ErrorKind::InvalidInput, why));
            }
            Some(secret) => Hs256Key::new(secret),
            None => Hs256Key::new(random::<SHORTEST_SECRET>()?),
        };
        Ok(Self {
            key,
            admin: set("CHAT_ADMIN_TOKEN"),
            guests,
        })
    }

    /// Somebody new, or who they were if `request` has a token for the same name.
    pub(crate) fn login(&self, request: &Request, name: &str) -> Result<(User, String), Response> {
        let name = clean(name).ok_or_else(|| refuse(400, "Please choose a name"))?;
        let known = token_of(request).and_then(|token| self.read(token));
        let user = match known {
            Some(user) if user.name == name => user,
            _ => User::new(name, false).map_err(|_| refuse(500, "Internal server error"))?,
        };
        let token = self
            .sign(&user)
            .ok_or_else(|| refuse(500, "Internal server error"))?;
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
    /// The answer to someone who must not come in. A bad token is no guest.
    pub(crate) fn user(&self, request: &Request) -> Result<User, Response> {
        match token_of(request) {
            Some(token) => self.read(token).ok_or_else(|| refuse(401, "Invalid token")),
            None if self.guests => {
                let name = request.query("user").and_then(clean);
                let name = name.unwrap_or_else(|| "Anonymous".to_owned());
                User::new(name, true).map_err(|_| refuse(500, "Internal server error"))
            }
            None => Err(refuse(401, "Authentication required")),
        }
    }

    /// Whether a request comes from the admin.
    pub(crate) fn admin(&self, request: &Request) -> Result<(), Response> {
        let Some(admin) = &self.admin else {
            return Err(refuse(403, "CHAT_ADMIN_TOKEN is not set"));
        };
        let said = bearer(request).unwrap_or_default();
        // How long it takes must not tell how much of it was right.
        match said.as_bytes().ct_eq(admin.as_bytes()).into() {
            true => Ok(()),
            false => Err(refuse(401, "Authentication required")),
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

/// A name that can be shown: on one line, not empty, not endless.
fn clean(name: &str) -> Option<String> {
    let name = name.trim().chars().filter(|letter| !letter.is_control());
    let name: String = name.take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// An answer that says why not, in the words that a socket would hear.
pub(crate) fn refuse(status: u16, why: &str) -> Response {
    let response = Response::json(error(why).to_string()).with_status(status);
    match status {
        401 => response.header("WWW-Authenticate", "Bearer"),
        _ => response,
    }
}

fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
