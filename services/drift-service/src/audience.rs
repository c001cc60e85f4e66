use contracts::Role;

/// The part of a drift that a caller may see. Ordered from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Audience {
    /// Everything except states, reasons, actors and changed paths.
    Public,
    /// Reasons, actors and changed paths as well, but no states.
    Viewer,
    /// Redacted states as well.
    Engineer,
}

impl From<Role> for Audience {
    fn from(role: Role) -> Self {
        match role {
            Role::Viewer => Self::Viewer,
            Role::Engineer | Role::Admin => Self::Engineer,
        }
    }
}
