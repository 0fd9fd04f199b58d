//! What is plain HTTP: the page, signing in, notifications and posts.

use std::rc::Rc;

use rushwire::{App, Context, Response};
use serde_json::{Value, json};

use crate::auth::{Auth, Role, clean};
use crate::live::{self, Live, Target};
use crate::tokens::{self, refuse};

/// The page loads nothing from elsewhere.
const POLICY: &str = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                      connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";
/// The longest notification, in characters.
const LONGEST: usize = 500;

type Answer = Result<Value, Response>;

/// Adds the routes.
pub(crate) fn serve(app: &mut App, auth: &Rc<Auth>, live: &Rc<Live>) {
    app.get("/", |ctx| {
        ctx.header("Content-Security-Policy", POLICY)
            .header("Cache-Control", "no-cache")
            .header("X-Content-Type-Options", "nosniff")
            .header("Referrer-Policy", "no-referrer")
            .html(include_str!("page.html"));
    });
    // Each route with what it needs: who is who, and what there is.
    let route = |run: fn(&Auth, &Live, &Context) -> Answer| {
        let (auth, live) = (Rc::clone(auth), Rc::clone(live));
        move |ctx: &Context| answer(ctx, run(&auth, &live, ctx))
    };
    app.post("/api/login", route(login));
    app.get("/api/me", route(me));
    app.get("/api/users", route(users));
    app.get("/api/channels", route(channels));
    app.post("/api/notify", route(notify));
    app.get("/api/posts", route(posts));
    app.post("/api/posts", route(create));
    app.put("/api/posts/:id", route(update));
}

fn login(auth: &Auth, live: &Live, ctx: &Context) -> Answer {
    let body = body_of(ctx)?;
    let name = body["name"].as_str().unwrap_or_default();
    let role = body["role"].as_str().unwrap_or("reader");
    let (user, token) = auth.login(name, role)?;
    live.inbox.borrow_mut().know(&user);
    Ok(json!({ "token": token, "user": user.json(), "expiresIn": tokens::LIFE.as_secs() }))
}

fn me(auth: &Auth, _: &Live, ctx: &Context) -> Answer {
    auth.user(ctx.request()).map(|user| user.json())
}

fn users(auth: &Auth, live: &Live, ctx: &Context) -> Answer {
    auth.admin(ctx.request())?;
    Ok(live.inbox.borrow().everyone().into())
}

fn channels(auth: &Auth, _: &Live, ctx: &Context) -> Answer {
    auth.user(ctx.request())?;
    Ok(live::channels(ctx.hub()))
}

fn notify(auth: &Auth, live: &Live, ctx: &Context) -> Answer {
    let admin = auth.admin(ctx.request())?;
    let body = body_of(ctx)?;
    let target = match (&body["user"], &body["role"]) {
        (Value::String(id), Value::Null) => Some(Target::User(id.clone())),
        (Value::Null, Value::String(role)) => Role::named(role).map(Target::Role),
        _ => None,
    };
    let target = target.ok_or_else(|| refuse(400, "Name a user or a role"))?;
    let text = body["text"].as_str().and_then(|text| clean(text, LONGEST));
    let text = text.ok_or_else(|| refuse(400, "A notification needs a text"))?;
    let notified = live.notify(ctx.hub(), &admin, &target, &text);
    let (people, away) =
        notified.ok_or_else(|| refuse(404, "Nobody of that name or role is known"))?;
    Ok(json!({ "success": true, "notified": people, "pending": away }))
}

fn posts(auth: &Auth, live: &Live, ctx: &Context) -> Answer {
    auth.user(ctx.request())?;
    Ok(json!(live.posts.borrow().all()))
}

fn create(auth: &Auth, live: &Live, ctx: &Context) -> Answer {
    let author = auth.user(ctx.request())?;
    let post = live.posts.borrow_mut().create(&author, &body_of(ctx)?)?;
    let news = json!({ "type": "new-post", "post": post });
    live::publish(ctx.hub(), "posts", &news);
    Ok(json!({ "success": true, "post": post }))
}

fn update(auth: &Auth, live: &Live, ctx: &Context) -> Answer {
    let editor = auth.user(ctx.request())?;
    let wanted = body_of(ctx)?;
    let post = live
        .posts
        .borrow_mut()
        .update(&editor, ctx.param("id"), &wanted)?;
    let news = json!({ "type": "post-updated", "post": post });
    live::publish(ctx.hub(), "posts", &news);
    let news = json!({ "type": "updated", "post": post });
    live::publish(ctx.hub(), &format!("post-{}", post["id"]), &news);
    Ok(json!({ "success": true, "post": post }))
}

fn body_of(ctx: &Context) -> Answer {
    serde_json::from_slice(ctx.body()).map_err(|_| refuse(400, "Invalid message format"))
}

fn answer(ctx: &Context, answer: Answer) {
    ctx.header("Cache-Control", "no-store");
    match answer {
        Ok(value) => ctx.json(value.to_string()),
        Err(response) => ctx.respond(response),
    }
}
