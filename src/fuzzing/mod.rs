//! The bodies of the fuzz targets, here so that `cargo test` runs them too, over the committed seeds.
//!
//! Each takes any bytes at all and panics when a promise is broken. A target is one line.

mod choices;
#[cfg(feature = "testing")]
mod client;
mod decoder;
mod handshake;
#[cfg(feature = "testing")]
mod hub;
#[cfg(test)]
mod noise;
mod request;
mod response;
mod roundtrip;
mod router;
#[cfg(feature = "testing")]
mod session;
#[cfg(feature = "testing")]
mod sockets;
mod texts;
mod utf8;

#[cfg(feature = "testing")]
pub use client::client;
pub use decoder::decoder;
pub use handshake::handshake;
#[cfg(feature = "testing")]
pub use hub::hub;
pub use request::request;
pub use response::response;
pub use roundtrip::roundtrip;
pub use router::router;
#[cfg(feature = "testing")]
pub use session::session;
pub use utf8::utf8;

#[cfg(test)]
mod tests {
    use std::fs;

    #[test]
    #[cfg_attr(miri, ignore = "reads files")]
    fn every_target_runs_a_body_and_is_explained() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz");
        let read = |path: String| fs::read_to_string(&path).expect(&path);
        let explained = read(format!("{folder}/README.md"));
        let declared = read(format!("{folder}/Cargo.toml"));
        let bodies = include_str!("mod.rs");
        let targets = fs::read_dir(format!("{folder}/fuzz_targets")).expect("targets");
        let mut count = 0;
        for target in targets {
            let file = target.expect("a file").path();
            let name = file
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            let source = read(file.display().to_string());
            assert!(source.contains(&format!("rushwire::fuzzing::{name}(data)")));
            assert!(
                bodies.contains(&format!("pub use {name}::{name};")),
                "{name}"
            );
            assert!(explained.contains(&format!("| `{name}` |")), "{name}");
            assert!(declared.contains(&format!("name = \"{name}\"")), "{name}");
            count += 1;
        }
        assert_eq!(count, 10);
    }
}
