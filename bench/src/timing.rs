//! Measures whether the time of a failed login reveals its cause.

use std::cmp::Ordering;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::json;
use strum::{Display, EnumIter, IntoEnumIterator};
use testing::{StatusCode, binary};
use uuid::Uuid;

use crate::progress;
use crate::service::{LOCKED_AFTER, Service};
use crate::table::Table;

/// Number of attempts of each kind.
const EACH: usize = 510;
pub(crate) const RIGHT: &str = "viewer123";
const WRONG: &str = "not that one";
pub(crate) const ADMIN: &str = "admin@example.com";

#[derive(Clone, Copy, PartialEq, Eq, Display, EnumIter)]
#[strum(serialize_all = "snake_case")]
enum Account {
    Unknown,
    /// The account works. This is the only kind that is tried with a wrong password.
    Open,
    Disabled,
    Locked,
    /// An unknown account that is locked as well: failures are counted even if there is no account.
    LockedUnknown,
}

impl Account {
    /// Returns the account to try next. Each one fails too rarely to be locked, unless it is meant to be.
    fn email(self, turn: usize) -> String {
        let number = if self.is_locked() { 0 } else { turn / (LOCKED_AFTER - 1) };
        format!("{self}{number}@example.com")
    }

    /// Whether the response is 429. This reveals the failures that the caller caused, not the account's
    /// state.
    fn is_locked(self) -> bool {
        matches!(self, Self::Locked | Self::LockedUnknown)
    }
}

pub(crate) async fn run(table: &mut Table) -> Result<()> {
    let service = Service::start("auth-service").await;
    prepare(&service).await?;
    progress("failing to log in, for some minutes");
    let mut attempts: Vec<_> =
        Account::iter().flat_map(|account| (0..EACH).map(move |turn| (account, turn))).collect();
    attempts.sort_by_cached_key(|_| Uuid::new_v4());
    let mut times = Vec::new();
    for (account, turn) in attempts {
        times.push((account, fail(&service, account, turn).await?));
    }
    let of = |account: Account| times.iter().filter(move |(own, _)| *own == account).map(|(_, time)| *time);
    let mut best = (0.5, String::new());
    for (number, one) in Account::iter().enumerate() {
        let others = Account::iter().skip(number + 1);
        for other in others.filter(|other| other.is_locked() == one.is_locked()) {
            let told = told_apart(&of(one).collect::<Vec<_>>(), &of(other).collect::<Vec<_>>());
            if told > best.0 {
                best = (told, format!(" ({one} and {other})"));
            }
        }
    }
    let (told, pair) = best;
    let what = format!(
        "response times of failed logins to five kinds of accounts ({EACH} logins each): \
         how well they distinguish two kinds (AUC; 0.5 is chance)"
    );
    table.add(what, format!("at most {told:.3}{pair}"), "≤ 0.55");
    Ok(())
}

/// Creates the existing accounts, and disables or locks those that are meant to be.
async fn prepare(service: &Service) -> Result<()> {
    create_admin(service)?;
    let admin = service.log_in(ADMIN, RIGHT).await;
    let admin = service.client.with_token(admin["accessToken"].as_str().unwrap_or_default());
    for account in [Account::Open, Account::Disabled, Account::Locked] {
        for turn in (0..EACH).step_by(LOCKED_AFTER - 1) {
            let person = json!({"name": "Bench", "email": account.email(turn), "password": RIGHT});
            let made = service.client.post("/api/auth/signup", &person).await;
            if account == Account::Disabled {
                let id = made.data()["user"]["id"].as_str().unwrap_or_default().to_owned();
                admin.patch(&format!("/api/auth/users/{id}"), &json!({"isActive": false})).await.data();
            }
        }
    }
    for account in [Account::Locked, Account::LockedUnknown] {
        let locked = json!({"email": account.email(0), "password": WRONG});
        for _ in 0..LOCKED_AFTER {
            service.client.post("/api/auth/login", &locked).await.expect(StatusCode::UNAUTHORIZED);
        }
    }
    Ok(())
}

pub(crate) fn create_admin(service: &Service) -> Result<()> {
    let mut command = Command::new(binary("auth-service"));
    command.args(["create-admin", "--email", ADMIN]).envs(service.environment.iter().cloned());
    let mut command = command.stdin(Stdio::piped()).spawn()?;
    let mut input = command.stdin.take().context("a pipe")?;
    input.write_all(RIGHT.as_bytes())?;
    drop(input);
    ensure!(command.wait()?.success(), "creating the admin failed");
    Ok(())
}

async fn fail(service: &Service, account: Account, turn: usize) -> Result<Duration> {
    let password = if account == Account::Open { WRONG } else { RIGHT };
    let credentials = json!({"email": account.email(turn), "password": password});
    let started = Instant::now();
    let answer = service.client.post("/api/auth/login", &credentials).await;
    let time = started.elapsed();
    let expected = if account.is_locked() { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::UNAUTHORIZED };
    ensure!(answer.status == expected, "{account}: {}", answer.text);
    Ok(time)
}

/// Returns the area under the curve of the best classifier that only compares: the share of pairs in which
/// the same side took longer. 0.5 is chance.
pub(crate) fn told_apart(one: &[Duration], other: &[Duration]) -> f64 {
    let pairs = one.iter().flat_map(|one| other.iter().map(move |other| one.cmp(other)));
    let longer: f64 = pairs
        .map(|order| match order {
            Ordering::Less => 0.0,
            Ordering::Equal => 0.5,
            Ordering::Greater => 1.0,
        })
        .sum();
    let share = longer / (one.len() * other.len()) as f64;
    share.max(1.0 - share)
}
