/// The way in which a resource drifts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case", const_into_str)]
pub enum Kind {
    /// The resource exists and differs.
    Changed,
    /// The resource does not exist.
    Missing,
    /// The resource exists, but no configuration declares it.
    Unmanaged,
}
