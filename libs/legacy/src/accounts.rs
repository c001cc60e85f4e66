use std::collections::BTreeMap;

use contracts::AccountId;
use sea_orm::DbErr;
use serde::Deserialize;

use crate::report::ImportReport;
use crate::snapshot::Snapshot;

/// The accounts of the source, by id. A single account becomes none: then everybody sees everything, as before.
#[derive(Debug)]
pub struct Accounts(BTreeMap<String, AccountId>);

#[derive(Deserialize)]
struct LegacyAccount {
    id: String,
    slug: Option<String>,
}

impl Accounts {
    /// Reads the accounts.
    ///
    /// # Errors
    /// If the database is unavailable, or a row cannot be read.
    pub async fn read(source: &Snapshot) -> Result<Self, DbErr> {
        let mut accounts = BTreeMap::new();
        if source.has_column("accounts", "slug").await? {
            let mut pages = source.read("SELECT a.id, a.slug FROM accounts AS a").await?;
            let mut unreadable = ImportReport::of("accounts");
            while let Some(page) = pages.next::<LegacyAccount>(&mut unreadable).await? {
                for LegacyAccount { id, slug } in page {
                    let slug = slug.filter(|slug| AccountId::is_valid(slug));
                    accounts.insert(id.clone(), slug.unwrap_or(id).into());
                }
            }
        }
        if accounts.len() == 1 {
            accounts.clear();
        }
        Ok(Self(accounts))
    }

    /// Returns the account that an account of the source becomes.
    pub fn get(&self, id: &str) -> Option<AccountId> {
        self.0.get(id).cloned()
    }
}
