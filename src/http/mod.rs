//! HTTP/1.1 heads and bodies, strict and incremental, with no I/O (RFC 9110, RFC 9112).
//!
//! The lowest layer: it takes bytes and gives values, and knows no other layer. The server
//! reads requests with [`HeadParser`] and [`BodyReader`], finds a route with [`Router`] and
//! answers with [`Response`]; the client reads its answer with [`ResponseParser`].
//!
//! Whatever two readers of HTTP could understand differently is refused, for that is what
//! request smuggling lives on. How the bytes were cut into reads never changes an outcome.

mod body;
mod date;
mod error;
mod fields;
mod framing;
mod head;
mod host;
mod invalid_header;
mod method;
mod pattern;
mod query;
mod refusal;
mod request_line;
mod response;
mod response_head;
mod router;
mod section;
mod status;
mod syntax;
mod target;

pub(crate) use body::BodyReader;
pub(crate) use date::imf_fixdate;
pub(crate) use error::BadRequest;
pub(crate) use framing::Framing;
pub(crate) use head::{Head, HeadParser};
pub(crate) use host::is_host;
pub use invalid_header::InvalidHeader;
pub(crate) use invalid_header::check_header;
pub use method::Method;
pub(crate) use method::Version;
pub(crate) use pattern::Pattern;
pub(crate) use query::Query;
pub use refusal::Refusal;
pub use response::Response;
pub(crate) use response::Write;
pub(crate) use response_head::ResponseHead;
pub(crate) use response_head::ResponseParser;
pub(crate) use router::{BadEscape, Router};
pub(crate) use section::Limits;
#[cfg(any(test, fuzzing))]
pub(crate) use status::reason;
pub(crate) use syntax::is_token;
