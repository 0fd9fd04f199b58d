//! Tokens that say who somebody is, and where a request carries them: for the examples `chat` and
//! `notifications`, each with a user of its own.
//!
//! A token is a JWT signed with HS256 (RFC 7519).

use std::io::{Error, ErrorKind};
use std::time::Duration;

use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header, TimeOptions, Token, UntrustedToken};
use rushwire::{Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// How long a token is good, and how long a connection may last.
pub(crate) const LIFE: Duration = Duration::from_secs(12 * 3_600);

/// How a token is offered beside the subprotocol that the server speaks.
const BEARER: &str = "bearer.";
const SHORTEST_SECRET: usize = 32;

/// Makes tokens and reads them.
pub(crate) struct Tokens(Hs256Key);

impl Tokens {
    /// Takes the secret from this variable of the environment; without one it is random.
    ///
    /// # Errors
    ///
    /// The secret is short enough to be guessed, or there is no randomness.
    pub(crate) fn from_env(variable: &str) -> std::io::Result<Self> {
        let secret = match set(variable) {
            Some(secret) if secret.len() < SHORTEST_SECRET => {
                let why = format!("{variable} has less than {SHORTEST_SECRET} bytes");
                return Err(Error::new(ErrorKind::InvalidInput, why));
            }
            Some(secret) => Hs256Key::new(secret),
            None => Hs256Key::new(random::<SHORTEST_SECRET>()?),
        };
        Ok(Self(secret))
    }

    /// A token for `user`.
    pub(crate) fn sign(&self, user: &impl Serialize) -> Option<String> {
        let life = chrono::Duration::from_std(LIFE).ok()?;
        let claims = Claims::new(user).set_duration_and_issuance(&TimeOptions::default(), life);
        Hs256.token(&Header::empty(), &claims, &self.0).ok()
    }

    /// Whom a token vouches for; nobody if it is not one of ours, or too old.
    pub(crate) fn read<U: DeserializeOwned + Clone>(&self, token: &str) -> Option<U> {
        let token = UntrustedToken::new(token).ok()?;
        let token: Token<U> = Hs256.validator(&self.0).validate(&token).ok()?;
        let claims = token.claims().validate_expiration(&TimeOptions::default());
        Some(claims.ok()?.custom.clone())
    }
}

/// The token of a request, wherever it stands. Browsers can set no headers for a socket, and an
/// address is seen in logs: they offer it as a subprotocol.
pub(crate) fn token_of(request: &Request) -> Option<&str> {
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
pub(crate) fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("Authorization")?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
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

/// A variable of the environment that is not empty.
pub(crate) fn set(variable: &str) -> Option<String> {
    std::env::var(variable)
        .ok()
        .filter(|value| !value.is_empty())
}

/// Bytes that nobody can foresee.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], getrandom::Error> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
