//! Who is measured: the library's example, the floor and the peers, each built here.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::building::{self, Source};
use crate::generator::Generator;
use crate::options::Options;
use crate::server::Server;

/// A server that can be started, its address behind the command.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) command: Vec<OsString>,
    pub(crate) is_peer: bool,
    /// Given on the command line, beside those that are known.
    pub(crate) is_extra: bool,
}

impl Subject {
    /// The floor, which never looks at a frame.
    pub(crate) fn is_raw(&self) -> bool {
        self.name == "raw"
    }

    /// For tests: one that cannot be started.
    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            command: Vec::new(),
            is_peer: !matches!(name, "rushwire" | "raw"),
            is_extra: false,
        }
    }
}

/// All that takes part in a comparison.
pub(crate) struct Field {
    pub(crate) generator: Generator,
    pub(crate) subjects: Vec<Subject>,
    /// Peers that do not build or start: name and reason.
    pub(crate) missing: Vec<(String, String)>,
}

struct Known {
    name: &'static str,
    title: &'static str,
    source: Source,
}

/// In the order in which they are measured and shown.
#[rustfmt::skip] // a table
const KNOWN: &[Known] = &[
    Known { name: "rushwire", title: "rushwire", source: Source::Example("echo") },
    Known { name: "raw", title: "raw", source: Source::Package("raw") },
    Known { name: "bun", title: "uWebSockets (Bun)", source: Source::Node {
        directory: "peers/bun", runtime: "node_modules/.bin/bun", script: "server.mjs" } },
    Known { name: "fastwebsockets", title: "fastwebsockets", source: Source::Package("peers/fastwebsockets") },
    Known { name: "tokio-tungstenite", title: "tokio-tungstenite", source: Source::Package("peers/tokio-tungstenite") },
    Known { name: "sockudo-ws", title: "sockudo-ws", source: Source::Package("peers/sockudo-ws") },
    Known { name: "yawc", title: "yawc", source: Source::Package("peers/yawc") },
    Known { name: "wtx", title: "wtx", source: Source::Package("peers/wtx") },
    Known { name: "ws-rs", title: "ws-rs", source: Source::Package("peers/ws-rs") },
    Known { name: "ws", title: "ws (Node)", source: Source::Node {
        directory: "peers/ws", runtime: "node", script: "server.mjs" } },
];

/// Programs that take part without being measured.
const HELPERS: &[&str] = &["load", SCALE_SERVER];

/// The server whose connections join as many rooms as their path says.
pub(crate) const SCALE_SERVER: &str = "scale-server";

/// More peers than this may not be missing.
const MOST_MISSING: usize = 2;

/// Builds the generator and everyone the command line asks for, and starts each server once.
///
/// # Errors
///
/// A sentence when the generator, the library or the floor is not there, or too many peers are not.
pub(crate) fn assemble(options: &Options) -> Result<Field, String> {
    unknown_names(options)?;
    let mut field = Field::new(helper(options, "load")?);
    let wanted = |known: &&Known| options.wants_subject(known.name);
    for known in KNOWN.iter().filter(wanted) {
        field.admit(known.subject(options), known)?;
    }
    for subject in extras(options) {
        starts(&subject).map_err(|reason| format!("{}: {reason}", subject.title))?;
        field.subjects.insert(1.min(field.subjects.len()), subject);
    }
    if field.missing.len() > MOST_MISSING {
        let names: Vec<&str> = field
            .missing
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        return Err(format!("too many peers are missing: {}", names.join(", ")));
    }
    Ok(field)
}

/// Builds the generator and what the curves need: the library, the floor, and the library with rooms.
///
/// # Errors
///
/// A sentence when one of them is not there.
pub(crate) fn assemble_own(options: &Options) -> Result<Field, String> {
    let own = KNOWN
        .iter()
        .filter(|known| !known.is_peer() && options.wants_subject(known.name));
    let rooms = Known {
        name: SCALE_SERVER,
        title: SCALE_SERVER,
        source: Source::Package(SCALE_SERVER),
    };
    let mut field = Field::new(helper(options, "load")?);
    for known in own.chain([&rooms]) {
        field.admit(known.subject(options), known)?;
    }
    Ok(field)
}

impl Field {
    pub(crate) fn new(generator: PathBuf) -> Self {
        Self {
            generator: Generator { program: generator },
            subjects: Vec::new(),
            missing: Vec::new(),
        }
    }

    /// Takes the subject in if it starts; a peer that does not is missing, any other an error.
    fn admit(&mut self, built: Result<Subject, String>, known: &Known) -> Result<(), String> {
        let started = built.and_then(|subject| starts(&subject).map(|()| subject));
        match started {
            Ok(subject) => self.subjects.push(subject),
            Err(reason) if known.is_peer() => {
                eprintln!("runner: {} is missing: {reason}", known.title);
                self.missing.push((known.title.to_owned(), reason));
            }
            Err(reason) => return Err(format!("{}: {reason}", known.title)),
        }
        Ok(())
    }
}

fn starts(subject: &Subject) -> Result<(), String> {
    Server::start(&[], &subject.command, 0).map(drop)
}

impl Known {
    fn is_peer(&self) -> bool {
        !matches!(self.name, "rushwire" | "raw" | SCALE_SERVER)
    }

    fn subject(&self, options: &Options) -> Result<Subject, String> {
        let command = match options.program(self.name) {
            Some(path) => vec![path.into()],
            None => self.source.build()?,
        };
        Ok(Subject {
            name: self.name.to_owned(),
            title: self.title.to_owned(),
            command,
            is_peer: self.is_peer(),
            is_extra: false,
        })
    }
}

/// The path of a program that is no subject, built unless the command line gives it.
fn helper(options: &Options, name: &str) -> Result<PathBuf, String> {
    match options.program(name) {
        Some(path) => Ok(path.clone()),
        None => building::package(name).map_err(|reason| format!("{name}: {reason}")),
    }
}

/// Programs of the command line beside those that are known, shown behind the library.
fn extras(options: &Options) -> impl Iterator<Item = Subject> {
    let is_extra =
        |name: &str| !HELPERS.contains(&name) && KNOWN.iter().all(|known| known.name != name);
    let extras = options
        .programs
        .iter()
        .filter(move |(name, _)| is_extra(name));
    extras.map(|(name, path)| Subject {
        name: name.clone(),
        title: name.clone(),
        command: vec![path.into()],
        is_peer: false,
        is_extra: true,
    })
}

fn unknown_names(options: &Options) -> Result<(), String> {
    for name in &options.subjects {
        if KNOWN.iter().all(|known| known.name != name) && options.program(name).is_none() {
            let names: Vec<&str> = KNOWN.iter().map(|known| known.name).collect();
            return Err(format!(
                "there is no server {name}, but {}",
                names.join(", ")
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Options {
        Options::parse(line.split(' ').map(str::to_owned)).expect("words")
    }

    #[test]
    fn there_are_eight_peers() {
        assert_eq!(KNOWN.iter().filter(|known| known.is_peer()).count(), 8);
    }

    #[test]
    fn a_program_of_an_unknown_name_is_one_more_subject() {
        let options =
            parse("run --program before=/tmp/echo --program load=/tmp/load --program raw=/tmp/raw");
        let names: Vec<String> = extras(&options).map(|subject| subject.name).collect();
        assert_eq!(names, ["before"]);
    }

    #[test]
    fn a_name_that_nobody_bears_is_refused() {
        assert!(
            unknown_names(&parse("run --subjects raw,uws"))
                .is_err_and(|error| error.contains("uws"))
        );
        assert!(unknown_names(&parse("run --subjects old --program old=/tmp/echo")).is_ok());
    }

    #[test]
    fn a_peer_that_does_not_start_is_missing_and_the_library_may_not_be() {
        let mut field = Field::new(PathBuf::new());
        let fails = || Err("it does not build".to_owned());
        assert!(field.admit(fails(), &KNOWN[5]).is_ok());
        assert_eq!(
            field.missing,
            [("sockudo-ws".to_owned(), "it does not build".to_owned())]
        );
        assert!(field.admit(fails(), &KNOWN[0]).is_err());
    }
}
