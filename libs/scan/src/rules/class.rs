use contracts::drift::Severity;
use serde::{Deserialize, Serialize};

/// The class that a rule assigns to a change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::IntoStaticStr,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Class {
    /// The change is noise. A resource with only ignored changes does not drift.
    Ignore,
    /// The value changes by itself. It is shown as information, raises no alert, and no decision depends
    /// on it.
    Volatile,
    Info,
    Warning,
    Critical,
}

impl Class {
    /// Returns the severity that a change of this class gives a drift.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Ignore | Self::Volatile | Self::Info => Severity::Info,
            Self::Warning => Severity::Warning,
            Self::Critical => Severity::Critical,
        }
    }

    /// Whether decisions disregard the change.
    pub const fn is_covered(self) -> bool {
        matches!(self, Self::Ignore | Self::Volatile)
    }
}
