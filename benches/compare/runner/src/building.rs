//! Builds the programs that take part, each by the tool of its language.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// Where a program comes from. Directories are below `benches/compare`.
pub(crate) enum Source {
    Example(&'static str),
    Package(&'static str),
    Node {
        directory: &'static str,
        /// Below the directory, or on the path.
        runtime: &'static str,
        script: &'static str,
    },
}

impl Source {
    /// The command that starts the program, its address to be put behind it.
    ///
    /// # Errors
    ///
    /// Why it does not build, in one line.
    pub(crate) fn build(&self) -> Result<Vec<OsString>, String> {
        match self {
            Self::Example(name) => {
                let program = cargo(&directory("../.."), &["--example", name])?;
                Ok(vec![program.into()])
            }
            Self::Package(path) => Ok(vec![package(path)?.into()]),
            Self::Node {
                directory: path,
                runtime,
                script,
            } => {
                let home = directory(path);
                install(&home)?;
                let runtime = match runtime.contains('/') {
                    true => home.join(runtime),
                    false => runtime.into(),
                };
                Ok(vec![runtime.into(), home.join(script).into()])
            }
        }
    }
}

/// Builds the package in a directory below `benches/compare`, and gives its program.
///
/// # Errors
///
/// Why it does not build, in one line.
pub(crate) fn package(path: &str) -> Result<PathBuf, String> {
    cargo(&directory(path), &[])
}

fn directory(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// Builds the package in `directory`, in release mode, and gives the program that Cargo names.
fn cargo(directory: &Path, words: &[&str]) -> Result<PathBuf, String> {
    eprintln!("runner: building {}", shown(directory, words));
    let output = Command::new("cargo")
        .args([
            "build",
            "--release",
            "--locked",
            "--message-format=json-render-diagnostics",
        ])
        .args(words)
        .current_dir(directory)
        .output()
        .map_err(|error| format!("cargo in {}: {error}", directory.display()))?;
    if !output.status.success() {
        let said = process::reason(&String::from_utf8_lossy(&output.stderr));
        return Err(said.unwrap_or_else(|| "it does not build".to_owned()));
    }
    executable(&String::from_utf8_lossy(&output.stdout)).ok_or("Cargo built no program".to_owned())
}

fn shown(directory: &Path, words: &[&str]) -> String {
    match words.last() {
        Some(name) => format!("the example {name}"),
        None => directory
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned(),
    }
}

/// The last program that is named in Cargo's messages.
fn executable(messages: &str) -> Option<PathBuf> {
    let mut named = messages.lines().filter_map(|line| {
        let (_, rest) = line.split_once(r#""executable":""#)?;
        rest.split_once('"').map(|(path, _)| path.into())
    });
    named.next_back()
}

/// Installs what the lockfile names, unless that was done before.
fn install(home: &Path) -> Result<(), String> {
    let changed = |name: &str| {
        home.join(name)
            .metadata()
            .and_then(|file| file.modified())
            .ok()
    };
    let installed = changed("node_modules/.package-lock.json");
    if installed.is_some() && installed >= changed("package-lock.json") {
        return Ok(());
    }
    eprintln!("runner: installing {}", shown(home, &[]));
    let output = Command::new("npm")
        .args([
            "ci",
            "--no-audit",
            "--no-fund",
            "--no-progress",
            "--loglevel=error",
        ])
        .current_dir(home)
        .output()
        .map_err(|error| format!("npm: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err(said
        .lines()
        .next()
        .unwrap_or("npm ci fails")
        .trim()
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_the_last_that_cargo_names() {
        let messages = "{\"reason\":\"compiler-artifact\",\"executable\":null}\n\
            {\"reason\":\"compiler-artifact\",\"executable\":\"/t/release/raw\",\"fresh\":true}\n\
            {\"reason\":\"build-finished\",\"success\":true}\n";
        assert_eq!(executable(messages), Some("/t/release/raw".into()));
        assert_eq!(executable(""), None);
    }
}
