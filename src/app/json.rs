//! JSON in requests and answers (feature `json`).

use serde::de::Deserialize;
use serde::ser::Serialize;

use super::context::Context;
use super::into_json::{IntoJson, sealed};
use crate::ws::json::Json;

impl<T: Serialize + ?Sized> sealed::Sealed for Json<'_, T> {}

/// A value that does not serialize turns the answer into a 500, and is reported to
/// [`App::on_error`](super::App::on_error) with the name of its type.
impl<T: Serialize + ?Sized> IntoJson for Json<'_, T> {
    fn into_json(self) -> Result<String, String> {
        serde_json::to_string(self.0).map_err(|error| format!("{self:?} is not sent: {error}"))
    }
}

impl Context {
    /// The body of the request, which is JSON, as a value that may borrow from it (feature `json`).
    ///
    /// ```
    /// use rushwire::{App, Json};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Deserialize, Serialize)]
    /// struct Order {
    ///     item: String,
    ///     count: u32,
    /// }
    ///
    /// let mut app = App::new();
    /// app.post("/orders", |ctx| match ctx.body_json::<Order>() {
    ///     Ok(order) => ctx.status(201).json(Json(&order)),
    ///     Err(error) => ctx.status(400).text(error.to_string()),
    /// });
    /// ```
    ///
    /// # Errors
    ///
    /// It is not JSON, or not of that type. Nothing is answered by that.
    pub fn body_json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(self.body())
    }
}
