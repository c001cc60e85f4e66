/// Replaces a secret.
pub const HIDDEN: &str = "(sensitive value)";
