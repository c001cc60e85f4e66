/// One way of finding a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::EnumIter))]
pub(super) enum Layer {
    /// Values that Terraform marks.
    Marks,
    /// Values under a name that indicates a secret.
    Names,
    /// Attributes that are secret in one type of resource, under an ordinary name.
    Types,
    /// A value beside its name in an object.
    Pairs,
    /// Secrets inside JSON text.
    Json,
    /// Secrets inside YAML text.
    Yaml,
    /// Values that plain text assigns to a name that indicates a secret.
    Assignments,
    /// Texts with the form of a secret.
    Appearance,
    /// Copies of values that are marked elsewhere.
    Copies,
    /// Keys of maps, addresses and ids.
    Keys,
}

/// The layers in use: all of them, except in the test that removes each in turn.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layers(u16);

impl Layers {
    pub(super) const ALL: Self = Self(u16::MAX);

    #[cfg(test)]
    pub(super) fn without(self, layer: Layer) -> Self {
        Self(self.0 & !(1 << layer as u16))
    }

    pub(super) fn has(self, layer: Layer) -> bool {
        self.0 & (1 << layer as u16) != 0
    }
}
