use std::fmt;

/// The name of a channel, or the beginning of one followed by `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ChannelPattern {
    prefix: String,
    open: bool,
}

impl ChannelPattern {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (prefix, open) = match text.strip_suffix('*') {
            Some(prefix) => (prefix, true),
            None => (text, false),
        };
        // `PSUBSCRIBE` treats these characters specially, and an empty prefix would match every channel.
        if prefix.is_empty() || prefix.contains(['*', '?', '[', ']', '\\']) {
            return Err("a channel is a name, or the start of one followed by one *".into());
        }
        Ok(Self { prefix: prefix.into(), open })
    }

    pub(crate) fn matches(&self, channel: &str) -> bool {
        if self.open { channel.starts_with(&self.prefix) } else { channel == self.prefix }
    }

    /// The part of the channel that the star stands for.
    pub(crate) fn rest<'a>(&self, channel: &'a str) -> &'a str {
        channel.strip_prefix(self.prefix.as_str()).unwrap_or_default()
    }

    /// Whether this pattern matches everything that `other` matches, and is not equal to `other`.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self != other && self.open && other.prefix.starts_with(&self.prefix)
    }
}

impl fmt::Display for ChannelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix)?;
        if self.open { f.write_str("*") } else { Ok(()) }
    }
}
