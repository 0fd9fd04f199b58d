//! What an answer of JSON is made of.

use std::borrow::Cow;

pub(super) mod sealed {
    pub trait Sealed {}
}

/// What [`Context::json`](super::Context::json) takes: text that is JSON already, and with feature
/// `json` a value in `Json`.
///
/// The trait is sealed.
pub trait IntoJson: sealed::Sealed {
    #[doc(hidden)]
    fn into_json(self) -> Result<String, String>;
}

macro_rules! texts {
    ($($text:ty),+) => {$(
        impl sealed::Sealed for $text {}

        impl IntoJson for $text {
            fn into_json(self) -> Result<String, String> {
                Ok(self.into())
            }
        }
    )+};
}

texts!(&str, String, &String, Box<str>, Cow<'_, str>);
