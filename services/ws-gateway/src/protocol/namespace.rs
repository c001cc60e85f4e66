/// The namespace kind of a socket: it decides which events the socket receives, and in which text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NamespaceKind {
    /// Socket.IO, namespace `/`.
    Root,
    /// Socket.IO, namespace `/dashboard`.
    Dashboard,
    /// The plain WebSocket protocol of `/ws`.
    Plain,
}

impl NamespaceKind {
    /// The kind of a Socket.IO namespace; `None` if there is no such namespace.
    pub(crate) fn of(namespace: &str) -> Option<Self> {
        match namespace {
            "/" => Some(Self::Root),
            "/dashboard" => Some(Self::Dashboard),
            _ => None,
        }
    }

    /// The Socket.IO namespace; `None` on `/ws`.
    pub(crate) const fn namespace(self) -> Option<&'static str> {
        match self {
            Self::Root => Some("/"),
            Self::Dashboard => Some("/dashboard"),
            Self::Plain => None,
        }
    }

    /// The name under which admins and the backplane know the kind.
    pub(crate) const fn endpoint(self) -> &'static str {
        match self {
            Self::Root => "/",
            Self::Dashboard => "/dashboard",
            Self::Plain => "/ws",
        }
    }
}
