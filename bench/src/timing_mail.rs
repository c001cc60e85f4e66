//! Measures whether the time of a response that a mail may follow reveals whether the address has an account.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::json;
use strum::{Display, EnumIter, IntoEnumIterator};
use testing::{Client, StatusCode};
use uuid::Uuid;

use crate::progress;
use crate::service::Service;
use crate::table::Table;
use crate::timing::{ADMIN, RIGHT, create_admin, told_apart};

/// Number of requests of each kind.
const EACH: usize = 510;
/// Number of requests for one address. More would exceed the mails that strangers can cause for it.
const PER_ADDRESS: usize = 5;

#[derive(Clone, Copy, PartialEq, Eq, Display, EnumIter)]
#[strum(serialize_all = "snake_case")]
enum Address {
    Unknown,
    Known,
    Disabled,
}

impl Address {
    fn email(self, turn: usize) -> String {
        format!("{self}{}@example.com", turn / PER_ADDRESS)
    }
}

pub(crate) async fn run(table: &mut Table) -> Result<()> {
    let service = Service::start_with("auth-service", &[("VERIFY_EMAIL", "true")]).await;
    create_admin(&service)?;
    let admin = service.log_in(ADMIN, RIGHT).await;
    let admin = service.client.with_token(admin["accessToken"].as_str().unwrap_or_default());
    create_accounts(&admin).await;
    for (path, name) in
        [("/api/auth/password/forgot", "forgotten passwords"), ("/api/auth/signup", "sign-ups")]
    {
        progress(&format!("requesting mails for {name}"));
        let mut requests =
            Address::iter().flat_map(|kind| (0..EACH).map(move |turn| (kind, turn))).collect::<Vec<_>>();
        requests.sort_by_cached_key(|_| Uuid::new_v4());
        let mut times = Vec::new();
        for (kind, turn) in requests {
            times.push((kind, time(&service, path, kind, turn).await?));
        }
        let of = |kind| {
            times.iter().filter(move |(own, _)| *own == kind).map(|(_, time)| *time).collect::<Vec<_>>()
        };
        let told =
            [Address::Known, Address::Disabled].map(|kind| told_apart(&of(Address::Unknown), &of(kind)));
        let what = format!(
            "response times of {name} for addresses with and without an account ({EACH} requests each): \
             how well they distinguish two kinds (AUC; 0.5 is chance)"
        );
        table.add(what, format!("known {:.3}, disabled {:.3}", told[0], told[1]), "≤ 0.55");
    }
    Ok(())
}

async fn create_accounts(admin: &Client) {
    for kind in [Address::Known, Address::Disabled] {
        for turn in (0..EACH).step_by(PER_ADDRESS) {
            let user =
                json!({"name": "Bench", "email": kind.email(turn), "password": RIGHT, "role": "viewer"});
            let created = admin.post("/api/auth/users", &user).await;
            if kind == Address::Disabled {
                let id = created.data()["id"].as_str().unwrap_or_default().to_owned();
                admin.patch(&format!("/api/auth/users/{id}"), &json!({"isActive": false})).await.data();
            }
        }
    }
}

async fn time(service: &Service, path: &str, kind: Address, turn: usize) -> Result<Duration> {
    let body = if path.ends_with("signup") {
        json!({"name": "Bench", "email": kind.email(turn), "password": RIGHT})
    } else {
        json!({"email": kind.email(turn)})
    };
    let started = Instant::now();
    let response = service.client.post(path, &body).await;
    let time = started.elapsed();
    ensure!(response.status == StatusCode::ACCEPTED, "{kind}: {}", response.text);
    Ok(time)
}
