//! Why a request is refused, for those who count it: many causes share a status. An answer carries its
//! cause to where it is written.

use std::fmt;

macro_rules! refusals {
    ($($(#[$doc:meta])+ $name:ident = $label:literal,)+) => {
        /// Why a request was refused, or a socket not let in.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Refusal {
            $($(#[$doc])+ $name,)+
        }

        impl Refusal {
            /// All that there are, in order.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name in statistics and log lines: lower case with underscores, never changed.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $label,)+
                }
            }
        }
    };
}

refusals! {
    /// What came is no HTTP, or none that is understood (400, 417, 501, 505); or the path has a
    /// malformed percent-escape (400).
    BadRequest = "bad_request",
    /// The target, the head or the body is larger than allowed (414, 431, 413).
    TooLarge = "too_large",
    /// The request, or a decision on it, did not come in time (408, 503).
    TimeOut = "time_out",
    /// Nothing is at that path (404).
    NoRoute = "no_route",
    /// Nothing is at that path for that method (405).
    WrongMethod = "wrong_method",
    /// A socket is at that path, but the request does not ask for one (426).
    NoUpgrade = "no_upgrade",
    /// The request asks for a socket, but not as RFC 6455 §4.2.1 wants it (400).
    BadHandshake = "bad_handshake",
    /// It asks for another version than 13 (426, RFC 6455 §4.4).
    WrongVersion = "wrong_version",
    /// The origin is not allowed (403).
    Origin = "origin",
    /// The client's address is not allowed (403).
    Address = "address",
    /// The client opens sockets too often (429).
    ConnectionRate = "connection_rate",
    /// There are as many sockets as there may be (503).
    Full = "full",
    /// All connections together keep as much memory as they may (503).
    Memory = "memory",
    /// There are as many from that address as there may be (429).
    FullForAddress = "full_for_address",
    /// The server is shutting down (503, or close 1001).
    ShuttingDown = "shutting_down",
    /// `verify_client` said no (401, or whatever it answers).
    Verify = "verify",
    /// Middleware did not let a socket pass (403 or close 1008, or what it says).
    Middleware = "middleware",
    /// Code of the application panicked, or answered what cannot be written (500, or close 1011).
    Failed = "failed",
    /// The application itself answered with 400 or more.
    Application = "application",
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn each_has_a_place_and_a_name_of_its_own() {
        for (place, refusal) in Refusal::ALL.iter().enumerate() {
            let name = refusal.as_str();
            assert_eq!(*refusal as usize, place, "{name}");
            assert!(name.bytes().all(|b| b == b'_' || b.is_ascii_lowercase()));
            let same = Refusal::ALL.iter().filter(|other| other.as_str() == name);
            assert_eq!(same.count(), 1, "{name}");
        }
    }
}
