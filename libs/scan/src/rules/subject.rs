use contracts::drift::Kind;

/// The resource that is being rated.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    pub stack: &'a str,
    pub address: &'a str,
    pub resource_type: &'a str,
    pub kind: Kind,
}
