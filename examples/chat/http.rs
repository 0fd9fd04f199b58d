//! What is plain HTTP: the page, signing in, what goes on in the rooms, and the admin's word.

use std::rc::Rc;

use rushwire::{App, Context, Response};
use serde_json::{Value, json};

use crate::auth::Auth;
use crate::chat::{self, Chat};
use crate::tokens::{self, refuse};

/// The page loads nothing from elsewhere, and runs no script but its own.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page and its parts: path, kind of text, text.
const FILES: [(&str, &str, &str); 5] = [
    ("/", "html", include_str!("page.html")),
    ("/page.css", "css", include_str!("page.css")),
    ("/page.js", "javascript", include_str!("page.js")),
    ("/link.js", "javascript", include_str!("link.js")),
    ("/elements.js", "javascript", include_str!("elements.js")),
];

/// Adds the routes.
pub(crate) fn serve(app: &mut App, auth: &Rc<Auth>, chat: &Rc<Chat>) {
    for (path, kind, text) in FILES {
        app.get(path, move |ctx| {
            ctx.header("Content-Security-Policy", POLICY)
                .header("Cache-Control", "no-cache")
                .header("X-Content-Type-Options", "nosniff")
                .header("Referrer-Policy", "no-referrer");
            ctx.bytes(&format!("text/{kind}; charset=utf-8"), text);
        });
    }
    let door = Rc::clone(auth);
    app.post("/api/login", move |ctx| answer(ctx, login(&door, ctx)));
    let admin = Rc::clone(auth);
    app.post("/api/admin/broadcast", move |ctx| {
        answer(ctx, broadcast(&admin, ctx));
    });
    let (guard, rooms) = (Rc::clone(auth), Rc::clone(chat));
    app.get("/rooms", move |ctx| {
        answer(ctx, guard.user(ctx.request()).map(|_| rooms.all_rooms()));
    });
    let (guard, rooms) = (Rc::clone(auth), Rc::clone(chat));
    app.get("/rooms/:room/info", move |ctx| {
        let user = guard.user(ctx.request());
        let info = |_| rooms.room_info(ctx.hub(), ctx.param("room"));
        answer(ctx, user.map(info));
    });
}

fn login(auth: &Auth, ctx: &Context) -> Result<Value, Response> {
    let body = body_of(ctx)?;
    let name = body["name"].as_str();
    let name = name.ok_or_else(|| refuse(400, "Please choose a name"))?;
    let (user, token) = auth.login(ctx.request(), name)?;
    Ok(json!({ "token": token, "user": user.json(), "expiresIn": tokens::LIFE.as_secs() }))
}

fn broadcast(auth: &Auth, ctx: &Context) -> Result<Value, Response> {
    auth.admin(ctx.request())?;
    let body = body_of(ctx)?;
    let wrong = || refuse(400, "Invalid message format");
    let message = body["message"].as_str().ok_or_else(wrong)?;
    let room = match &body["room"] {
        Value::Null => None,
        room => Some(room.as_str().ok_or_else(wrong)?),
    };
    let reached = chat::tell(ctx.hub(), room, message);
    Ok(json!({ "success": true, "reached": reached }))
}

fn body_of(ctx: &Context) -> Result<Value, Response> {
    serde_json::from_slice(ctx.body()).map_err(|_| refuse(400, "Invalid message format"))
}

fn answer(ctx: &Context, answer: Result<Value, Response>) {
    ctx.header("Cache-Control", "no-store");
    match answer {
        Ok(value) => ctx.json(value.to_string()),
        Err(response) => ctx.respond(response),
    }
}
