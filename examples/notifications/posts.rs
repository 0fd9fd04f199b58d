//! The posts: what the routes write and the channels tell of. `http.rs` calls it.

use std::collections::BTreeMap;

use crate::auth::{Role, User, clean};
use crate::live::now;
use crate::tokens::refuse;
use rushwire::Response;
use serde_json::{Value, json};

/// Posts that are kept; the oldest give way.
const KEPT: usize = 200;
/// The longest title and the longest text, in characters.
const LONGEST_TITLE: usize = 120;
const LONGEST_TEXT: usize = 4_000;

/// All posts, by id.
#[derive(Default)]
pub(crate) struct Posts {
    posts: BTreeMap<u64, Value>,
    last: u64,
}

impl Posts {
    /// The newest first.
    pub(crate) fn all(&self) -> Vec<&Value> {
        self.posts.values().rev().collect()
    }

    /// A new post.
    ///
    /// # Errors
    ///
    /// The answer to a post without a title.
    pub(crate) fn create(&mut self, author: &User, wanted: &Value) -> Result<Value, Response> {
        let (title, text) = (title_of(wanted)?, text_of(wanted)?);
        self.last += 1;
        let author = json!({ "id": author.id, "name": author.name });
        let post = json!({
            "id": self.last, "title": title, "text": text.unwrap_or_default(),
            "author": author, "createdAt": now(), "editedAt": null,
        });
        self.posts.insert(self.last, post.clone());
        if self.posts.len() > KEPT {
            self.posts.pop_first();
        }
        Ok(post)
    }

    /// Changes a post: what is not wanted otherwise stays.
    ///
    /// # Errors
    ///
    /// The answer to someone who may not, to a post that is not there, and to one that makes no
    /// sense.
    pub(crate) fn update(
        &mut self,
        editor: &User,
        id: &str,
        wanted: &Value,
    ) -> Result<Value, Response> {
        let post = id.parse().ok().and_then(|id: u64| self.posts.get_mut(&id));
        let post = post.ok_or_else(|| refuse(404, "No such post"))?;
        if editor.role != Role::Admin && post["author"]["id"] != editor.id.as_str() {
            return Err(refuse(403, "Only its author or an admin may do that"));
        }
        let title = match &wanted["title"] {
            Value::Null => None,
            _ => Some(title_of(wanted)?),
        };
        let text = text_of(wanted)?;
        for (name, value) in [("title", title), ("text", text)] {
            if let Some(value) = value {
                post[name] = value.into();
            }
        }
        post["editedAt"] = now().into();
        Ok(post.clone())
    }
}

fn title_of(wanted: &Value) -> Result<String, Response> {
    let title = wanted["title"].as_str();
    let title = title.and_then(|title| clean(title, LONGEST_TITLE));
    title.ok_or_else(|| refuse(400, "A post needs a title"))
}

fn text_of(wanted: &Value) -> Result<Option<String>, Response> {
    match &wanted["text"] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text.trim().chars().take(LONGEST_TEXT).collect())),
        _ => Err(refuse(400, "The text of a post is a text")),
    }
}
