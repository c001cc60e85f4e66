/// The classification of a value by the names above it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cover {
    None,
    Secret,
}
