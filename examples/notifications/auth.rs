//! Who somebody is, and what they may do, by their token.

use rushwire::{Request, Response, Verdict};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::tokens::{Tokens, refuse, token_of};

/// The subprotocol that the server speaks.
pub(crate) const PROTOCOL: &str = "live";

/// The longest name, in characters.
const LONGEST_NAME: usize = 40;

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

/// Tells who comes.
pub(crate) struct Auth {
    tokens: Tokens,
}

impl Auth {
    /// Takes the secret from the environment.
    ///
    /// # Errors
    ///
    /// `NOTIFICATIONS_SECRET` is short enough to be guessed, or there is no randomness.
    pub(crate) fn from_env() -> std::io::Result<Self> {
        let tokens = Tokens::from_env("NOTIFICATIONS_SECRET")?;
        Ok(Self { tokens })
    }

    /// Somebody of that name and role, and their token.
    pub(crate) fn login(&self, name: &str, role: &str) -> Result<(User, String), Response> {
        let role =
            Role::named(role).ok_or_else(|| refuse(400, "The role is admin, editor or reader"))?;
        let name = clean(name, LONGEST_NAME).ok_or_else(|| refuse(400, "Please choose a name"))?;
        let id = name.to_lowercase().replace(' ', "-");
        let user = User { id, name, role };
        let token = self.tokens.sign(&user);
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
        self.tokens
            .read(token)
            .ok_or_else(|| refuse(401, "Invalid token"))
    }

    /// The admin whom a request comes from.
    pub(crate) fn admin(&self, request: &Request) -> Result<User, Response> {
        let user = self.user(request)?;
        match user.role {
            Role::Admin => Ok(user),
            _ => Err(refuse(403, "Only an admin may do that")),
        }
    }
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
