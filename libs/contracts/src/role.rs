use crate::named::named;

named! {
    /// The permissions of a caller. Ordered: each role includes those before it.
    pub enum Role {
        /// Reads. The role of a user who signs up.
        Viewer,
        /// Ingests scans and decides on drifts.
        Engineer,
        /// Manages users and sessions, and may do everything else.
        Admin,
    }
}
