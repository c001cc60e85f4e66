use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use anyhow::Result;
use sha1::{Digest, Sha1};
use tempfile::TempDir;

use super::*;

fn built(dump: impl AsRef<[u8]>) -> (TempDir, Result<Blocklist>) {
    let folder = tempfile::tempdir().unwrap();
    let (from, out) = (folder.path().join("dump.txt"), folder.path().join("new/passwords.filter"));
    fs::write(&from, dump).unwrap();
    let list = build(&from, &out, |_| ());
    (folder, list)
}

fn list_file(folder: &TempDir) -> PathBuf {
    folder.path().join("new/passwords.filter")
}

#[test]
fn a_list_of_100_000_has_every_password_and_hardly_another() {
    let mut dump = String::new();
    for nth in 0..100_000 {
        writeln!(dump, "breached-{nth}").unwrap();
    }
    let (folder, list) = built(&dump);
    let list = list.unwrap();
    assert!((99_900..=100_000).contains(&list.len()), "{}", list.len());
    assert!((0..100_000).all(|nth| list.contains(format!("breached-{nth}").as_bytes())));

    let rate = list.false_positive_rate();
    assert!(rate < 1e-5, "{rate}");
    let others = 1_000_000;
    let wrong = (0..others).filter(|nth| list.contains(format!("other-{nth}").as_bytes())).count();
    assert!((wrong as f64) < 3.0 * rate * f64::from(others), "{wrong} of {others} at a rate of {rate}");
    assert!(fs::metadata(list_file(&folder)).unwrap().len() < 320_000);
    assert_eq!(fs::read_dir(folder.path().join("new")).unwrap().count(), 1, "temporary files remain");
}

#[test]
fn hashes_and_passwords_may_be_mixed() {
    let hash = |password: &str| hex::encode(Sha1::digest(password));
    let dump = format!(
        "{}\r\n{}:37\n{}:x\n\n a space is kept \nlast line",
        hash("hashed one").to_uppercase(),
        hash("hashed two"),
        hash("no count"),
    );
    let (_folder, list) = built(dump);
    let list = list.unwrap();
    for password in ["hashed one", "hashed two", " a space is kept ", "last line"] {
        assert!(list.contains(password.as_bytes()), "{password}");
    }
    assert!(list.contains(format!("{}:x", hash("no count")).as_bytes()));
    for password in ["no count", "a space is kept", ""] {
        assert!(!list.contains(password.as_bytes()), "{password}");
    }
    assert_eq!(list.len(), 5);
}

#[test]
fn every_spelling_of_a_character_is_found() {
    let (_folder, list) = built("cafe\u{301} au lait\n\u{ff50}assword full width\n");
    let list = list.unwrap();
    for typed in
        ["caf\u{e9} au lait", "cafe\u{301} au lait", "password full width", "\u{ff50}assword full width"]
    {
        let password = Password::parse(typed).unwrap();
        assert!(is_breached(&password, Some(&list)), "{typed}");
    }
}

#[test]
fn lines_that_are_no_text_or_too_long_are_no_obstacle() {
    let mut dump = vec![b'x'; 100_000];
    dump.extend(b"\nafter the long line\n\xff\xfe latin\n");
    let (_folder, list) = built(dump);
    let list = list.unwrap();
    assert!(list.contains(b"after the long line") && list.contains(b"\xff\xfe latin"));
    assert_eq!(list.len(), 2);
}

#[test]
fn progress_counts_every_byte() {
    let folder = tempfile::tempdir().unwrap();
    let from = folder.path().join("dump.txt");
    fs::write(&from, format!("{}\none\ntwo", "x".repeat(10_000))).unwrap();
    let mut seen = 0;
    build(&from, &folder.path().join("out"), |bytes| seen = bytes).unwrap();
    assert_eq!(seen, 10_008);
}

#[test]
fn an_empty_dump_is_refused_and_the_old_list_stays() {
    let (folder, list) = built("one password\n");
    drop(list);
    let empty = folder.path().join("empty.txt");
    fs::write(&empty, "\n\n").unwrap();
    let error = build(&empty, &list_file(&folder), |_| ()).unwrap_err();
    assert!(error.to_string().contains("has no passwords"), "{error}");
    assert!(Blocklist::open(&list_file(&folder)).unwrap().contains(b"one password"));
}

#[test]
fn a_truncated_damaged_or_foreign_file_is_refused() {
    let (folder, list) = built("one password\nanother password\n");
    drop(list);
    let file = list_file(&folder);
    let sound = fs::read(&file).unwrap();
    let refusal = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        format!("{:#}", Blocklist::open(&file).unwrap_err())
    };
    assert!(refusal(&sound[..sound.len() - 1]).contains("is truncated or damaged"));
    assert!(refusal(&[&sound[..], b"\0"].concat()).contains("is truncated or damaged"));
    for foreign in [&b""[..], b"password\n", &[0; 1_000], &sound[..10]] {
        assert!(refusal(foreign).contains("is not a list of breached passwords"));
    }
    for (at, name) in [(0, "magic"), (8, "version"), (13, "index bits"), (30, "rate")] {
        let mut bytes = sound.clone();
        bytes[at] ^= 0x40;
        assert!(refusal(&bytes).contains("is not a list of breached passwords"), "{name}");
    }
    assert!(format!("{:#}", Blocklist::open(folder.path()).unwrap_err()).contains("is not a list"));
    assert!(
        format!("{:#}", Blocklist::open(&folder.path().join("none")).unwrap_err()).contains("No such file")
    );
}

#[test]
fn a_damaged_index_is_an_error_and_no_panic() {
    let (folder, list) = built("one password\n");
    drop(list);
    let mut bytes = fs::read(list_file(&folder)).unwrap();
    bytes[32..48].fill(0xff);
    fs::write(list_file(&folder), bytes).unwrap();
    assert!(!Blocklist::open(&list_file(&folder)).unwrap().contains(b"one password"));
}
