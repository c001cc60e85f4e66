//! The rules in force: those of the newest version, and below them those of the file.

use std::sync::{Arc, PoisonError, RwLock};

use scan::rules::{Rules, RulesError, ShortRule};
use sea_orm::{ConnectionTrait, DbErr};

use super::entity::{self, Model};
use super::written;
use crate::setting;

/// The name of the setting that a writer of rules locks exclusively, and a user of rules locks shared.
pub(super) const SETTING: &str = "rules";

/// The rules of one version.
#[derive(Debug)]
pub struct RulesInForce {
    /// 0 if no version is stored.
    pub version: i32,
    pub rules: Rules,
}

/// The rules in force, as this process last read them.
#[derive(Clone)]
pub(crate) struct CurrentRules {
    file: Arc<Rules>,
    last_read: Arc<RwLock<Arc<RulesInForce>>>,
}

impl CurrentRules {
    pub(crate) fn new(file: Rules) -> Self {
        let first = RulesInForce { version: 0, rules: file.clone() };
        Self { file: Arc::new(file), last_read: Arc::new(RwLock::new(Arc::new(first))) }
    }

    /// Returns the rules of the file.
    pub(super) fn file(&self) -> &Rules {
        &self.file
    }

    /// Returns the rules in force. Parses them only if their version is new to this process.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn read(&self, db: &impl ConnectionTrait) -> Result<Arc<RulesInForce>, DbErr> {
        let version = entity::newest_number(db).await?;
        let known = Arc::clone(&self.last_read.read().unwrap_or_else(PoisonError::into_inner));
        if known.version == version {
            return Ok(known);
        }
        let Some(newest) = entity::newest(db).await? else { return Ok(known) };
        let read = Arc::new(self.parse(&newest)?);
        *self.last_read.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&read);
        Ok(read)
    }

    /// Returns the rules in force, which stay in force until the transaction ends. Call it before anything else is
    /// locked.
    ///
    /// # Errors
    /// If the database fails.
    pub(crate) async fn hold(&self, tx: &impl ConnectionTrait) -> Result<Arc<RulesInForce>, DbErr> {
        setting::lock_shared(tx, SETTING).await?;
        self.read(tx).await
    }

    /// Returns the rules that a version would put in force.
    pub(super) fn parse(&self, version: &Model) -> Result<RulesInForce, DbErr> {
        let unreadable = |error: String| {
            DbErr::Custom(format!("version {} of the rules is unreadable: {error}", version.version))
        };
        let written = written::read(&version.rules).map_err(|error| unreadable(error.to_string()))?;
        let short: Vec<ShortRule<'_>> = written.iter().map(written::WrittenRule::short).collect();
        let rules = self.file.below(&short, version.alert_threshold);
        let rules = rules.map_err(|error| unreadable(error.to_string()))?;
        Ok(RulesInForce { version: version.version, rules })
    }

    /// Returns the rules that a list would put in force.
    ///
    /// # Errors
    /// If a pattern is not a glob.
    pub(super) fn with(&self, set: &written::RuleSet) -> Result<Rules, RulesError> {
        let short: Vec<ShortRule<'_>> = set.rules.iter().map(written::WrittenRule::short).collect();
        self.file.below(&short, set.alert_threshold)
    }
}
