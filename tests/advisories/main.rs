//! What was published as a vulnerability of other WebSocket and HTTP software, by its number: that it is
//! not one here. Each test says in a line what went wrong there. Where the promise is tested at length
//! elsewhere, it is not tested again:
//!
//! | kind of advisory | tests |
//! |---|---|
//! | a length overflows | `lengths::a_length_that_overflows_is_refused_and_others_are_served`, `defects/death::d04_a_frame_that_announces_2_to_the_63_bytes_does_not_kill_the_server` |
//! | memory for what is announced: RUSTSEC-2022-0035 | `lengths::nothing_is_set_aside_for_a_stranger`, `defects/memory::d18_an_announced_length_alone_costs_no_memory` |
//! | unbounded messages and fragments | `lengths::there_is_a_limit_by_default_and_0_does_not_turn_it_off`, `fragments::continuations_without_payload_are_counted` |
//! | unbounded out buffer: RUSTSEC-2020-0043 | `life::measured::a_peer_that_does_not_read_its_echoes_is_not_read`, `defects/memory::d19_a_peer_that_does_not_read_costs_no_more_than_max_backpressure` |
//! | compression that nobody agreed to, and its bombs | `extensions::a_compressed_frame_is_refused_where_no_compression_was_agreed_on` |
//! | head-count crash: CVE-2024-37890 | `headers::too_many_headers_are_431_whatever_their_names` |
//! | ReDoS in header parsing: CVE-2021-32640 | `headers::no_header_takes_more_time_than_its_length_allows` |
//! | heads that are read again and again: CVE-2023-43669 | `headers::a_head_that_comes_byte_by_byte_is_read_once` |
//! | memory by partial headers | `headers::heads_that_are_not_complete_cost_what_has_come`, `limits/memory::requests_that_come_in_part_count_too` |
//! | connections that never finish | `http/timeouts::a_client_that_sends_a_byte_now_and_then_gets_no_more_time` |
//! | request smuggling by TE and CL | `smuggling::a_socket_that_is_hidden_in_a_body_is_never_opened`, `http/smuggling::ambiguous_framing_is_refused_and_nothing_behind_it_is_served` |
//! | a body that becomes frames: CVE-2026-69243 | `smuggling::a_body_of_an_upgrade_is_no_frames` |
//! | tunnels behind a failed upgrade | `smuggling::a_handshake_that_fails_opens_no_tunnel`, `handshake/refused::frames_behind_a_refused_request_are_not_read` |
//! | CR and LF in what we write | `smuggling::no_value_that_we_write_ends_a_line`, `semantics/upgrade_headers::a_header_that_may_not_be_there_is_an_error_that_quotes_it_and_is_not_sent` |
//! | cross-site hijacking when origins are set | `trust::a_page_of_another_site_opens_no_socket`, `semantics/origins::a_pattern_matches_whole_origins_in_any_case` |
//! | upgrades that pass by the token | `trust::what_asks_for_a_token_is_run_for_upgrades_and_an_error_is_a_no`, `defects/security::d16_no_request_gets_past_verify_client` |
//! | forged X-Forwarded-For | `trust::a_forged_address_passes_no_limit_and_no_list`, `semantics/address::nothing_that_a_client_sends_ahead_forges_or_hides_what_its_proxy_says` |
//! | one request ends the process | `life::no_request_no_frame_and_no_reset_ends_the_server`, `defects/death::d02_a_reset_while_a_decision_is_pending_does_not_kill_the_server` |
//! | an unclean end keeps the loop busy: CVE-2017-2670 | `life::measured::an_unclean_end_does_not_keep_the_loop_busy` |
//! | predictable masking keys | `client::nobody_foresees_a_masking_key` |
//! | a client that reads bodies without limit: CVE-2022-31080 | `client/refused::of_an_endless_body_the_first_64_kib_are_kept` |

#[path = "../common/mod.rs"]
mod common;

#[cfg(target_os = "linux")]
#[path = "../defects/alone.rs"]
mod alone;
mod client;
mod extensions;
mod fragments;
mod headers;
mod lengths;
mod life;
#[path = "../client/peer.rs"]
#[expect(dead_code, reason = "these tests use a part of it")]
mod peer;
mod smuggling;
mod trust;

use common::{Client, Server, serve_with};
use rushwire::{Options, event};

/// A server that echoes each message at `/`.
fn echo(options: impl FnOnce() -> Options + Send + 'static) -> Server {
    serve_with(options, |app| {
        app.ws("/", |socket, _| {
            socket.on(event::Message, |socket, message| _ = socket.send(message));
        });
    })
}

/// Fails unless this client of [`echo`] is answered.
fn expect_served(client: &mut Client, when: &str) {
    client.send(when);
    assert_eq!(client.text(), when);
}

/// Each `folder/file::name` of the table above, or `file::name` of this folder, is a test.
#[test]
fn the_tests_that_the_table_names_are_there() {
    let rows = include_str!("main.rs")
        .lines()
        .filter(|line| line.starts_with("//! | "));
    let names = rows.flat_map(|row| row.split('`').skip(1).step_by(2));
    let names: Vec<&str> = names.collect();
    assert!(names.len() > 30, "{names:?}");
    for path in names {
        let (file, name) = path.split_once("::").expect(path);
        let name = name.rsplit("::").next().expect(path);
        let folder = if file.contains('/') {
            "tests"
        } else {
            "tests/advisories"
        };
        let source = format!("{}/{folder}/{file}.rs", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read_to_string(&source).expect(path);
        let function = source.split(&format!("fn {name}()")).next();
        let before = function.filter(|before| before.len() < source.len());
        let attribute = before.and_then(|before| before.trim_end().lines().last());
        assert_eq!(attribute.map(str::trim), Some("#[test]"), "{path}");
    }
}
