//! Who somebody is, by a token or as a guest, and the admin's word.
//!
//! There are no passwords here: a real application asks for one in `login`, and nothing else changes.

use rushwire::{Request, Response, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use crate::tokens::{Tokens, bearer, random, refuse, set, token_of};

/// The subprotocol that the server speaks.
pub(crate) const PROTOCOL: &str = "chat";

/// The longest name, in characters.
const LONGEST_NAME: usize = 40;

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

/// Tells who comes.
pub(crate) struct Auth {
    tokens: Tokens,
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
        Ok(Self {
            tokens: Tokens::from_env("CHAT_SECRET")?,
            admin: set("CHAT_ADMIN_TOKEN"),
            guests,
        })
    }

    /// Somebody new, or who they were if `request` has a token for the same name.
    pub(crate) fn login(&self, request: &Request, name: &str) -> Result<(User, String), Response> {
        let name = clean(name).ok_or_else(|| refuse(400, "Please choose a name"))?;
        let known = token_of(request).and_then(|token| self.tokens.read::<User>(token));
        let user = match known {
            Some(user) if user.name == name => user,
            _ => User::new(name, false).map_err(|_| refuse(500, "Internal server error"))?,
        };
        let token = self
            .tokens
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
            Some(token) => self
                .tokens
                .read(token)
                .ok_or_else(|| refuse(401, "Invalid token")),
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
}

/// A name that can be shown: on one line, not empty, not endless.
fn clean(name: &str) -> Option<String> {
    let name = name.trim().chars().filter(|letter| !letter.is_control());
    let name: String = name.take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}
