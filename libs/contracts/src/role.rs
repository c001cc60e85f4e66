use crate::named::words;

words! {
    /// The permissions of a caller. Ordered: each role includes those before it.
    #[cfg_attr(
        feature = "database",
        derive(sea_orm::DeriveValueType),
        sea_orm(value_type = "String", from_str = "Role::from_database")
    )]
    pub enum Role {
        /// Reads. The role of a user who signs up.
        Viewer,
        /// Ingests scans and decides on drifts.
        Engineer,
        /// Manages users and sessions, and may do everything else.
        Admin,
    }
}

#[cfg(feature = "database")]
impl Role {
    /// Reads a role from a row. A role of another system, in a row that was copied from there, permits the least, so
    /// that one row never makes a list fail.
    fn from_database(stored: &str) -> Result<Self, std::convert::Infallible> {
        Ok(stored.parse().unwrap_or(Self::Viewer))
    }
}
