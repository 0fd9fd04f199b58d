//! Which subprotocol is spoken: the server's preferred one, or the application's choice
//! (RFC 6455 §4.2.2). The upgrade asks here just before its answer 101.

use super::core::Core;
use super::request::Request;
use super::upgrade::ask;
use crate::http::Response;

/// What the application chooses of those that the client offers.
pub(super) type Choose = Box<dyn Fn(&Request, &[&str]) -> Option<String>>;

/// The subprotocol to speak. Without a choice it is the first of ours that is offered, too; never
/// one that is not offered.
pub(super) fn agree(core: &Core, request: &Request) -> Result<Option<Box<str>>, Response> {
    let ours = &core.options.subprotocols;
    if ours.is_empty() && core.choose.is_none() {
        return Ok(None);
    }
    let offered: Vec<&str> = request.protocols().collect();
    if offered.is_empty() {
        return Ok(None);
    }
    let Some(choose) = &core.choose else {
        let mut ours = ours.iter().map(String::as_str);
        return Ok(ours.find(|own| offered.contains(own)).map(Into::into));
    };
    let Some(chosen) = ask(core, "choose_subprotocol", request, || {
        choose(request, &offered)
    })?
    else {
        return Ok(None);
    };
    if offered.contains(&chosen.as_str()) {
        return Ok(Some(chosen.into()));
    }
    core.hub.report(
        None,
        &format!("subprotocol {chosen:?} was chosen, but the client offers {offered:?}"),
    );
    Ok(None)
}
