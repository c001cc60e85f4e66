//! Checks that `docs/API.md` contains every code, event, channel and room that a client can encounter.

use std::collections::BTreeSet;

use contracts::events::auth::EndReason;
use strum::{IntoEnumIterator, VariantNames};

use crate::catalogue::{Catalogue, is_reserved};
use crate::protocol::{ClientError, Notice, RefusalCode, Unrecoverable};

const DOCUMENT: &str = include_str!("../../../docs/API.md");

/// The texts after each `start` and before the next `end`.
fn each_between<'a>(text: &'a str, start: &str, end: char) -> BTreeSet<&'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split_once(end)).map(|(found, _)| found).collect()
}

fn assert_documented<'a>(names: impl IntoIterator<Item = &'a str>) {
    let mut any = false;
    for name in names {
        assert!(DOCUMENT.contains(&format!("`{name}`")), "{name} is not in docs/API.md");
        any = true;
    }
    assert!(any, "nothing was looked for");
}

#[test]
fn the_close_codes_of_the_document_are_those_of_the_code() {
    let code = include_str!("protocol/ending.rs");
    let used = each_between(code, "=> ", ',').into_iter().filter_map(|code| code.parse().ok());
    let mut used: BTreeSet<u16> = used.collect();
    assert!(used.remove(&1005) && used.remove(&1006), "never sent, as the protocol demands");
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(' ')?.0.parse().ok());
    assert_eq!(rows.collect::<BTreeSet<u16>>(), used);
}

#[test]
fn every_refusal_and_every_error_of_an_answer_is_documented() {
    assert_documented(RefusalCode::iter().map(|code| code.into_str()));
    assert_documented(ClientError::iter().map(|error| error.into()));
}

#[test]
fn every_event_of_the_gateway_and_every_reason_in_it_is_documented() {
    assert_documented(Notice::VARIANTS.iter().copied());
    assert!(Notice::VARIANTS.iter().all(|name| is_reserved(name)));
    assert_documented(["connection.reauth"]);
    assert_documented(EndReason::iter().map(|reason| reason.into_str()));
    assert_documented(Unrecoverable::iter().map(|reason| reason.into_str()));
}

#[test]
fn every_channel_and_every_room_of_the_catalogue_is_documented() {
    let toml = include_str!("catalogue/builtin.toml");
    assert_documented(each_between(toml, "channel = \"", '"'));
    for room in each_between(toml, "subscribable = [", ']').into_iter().flat_map(|rooms| rooms.split(", ")) {
        let room = room.trim_matches('"');
        assert!(Catalogue::load(None).unwrap().is_subscribable(room));
        assert_documented([&*format!("subscribe:{room}"), &*format!("unsubscribe:{room}")]);
    }
}
