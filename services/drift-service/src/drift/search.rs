//! What `q` searches: free text, and words such as `stack:prod` that search one thing.

use http::ApiError;
use sea_orm::Condition;
use sea_orm::sea_query::{Expr, Func};

use super::entity::Column;
use crate::audience::Audience;

/// What a word before a colon searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::EnumString)]
#[strum(serialize_all = "lowercase")]
enum Word {
    Stack,
    Account,
    Type,
    /// The changed paths.
    Attr,
    /// The reasons of the severity and of the decision.
    Reason,
}

impl Word {
    const fn columns(self) -> &'static [Column] {
        match self {
            Self::Stack => &[Column::Stack],
            Self::Account => &[Column::AccountId],
            Self::Type => &[Column::ResourceType],
            Self::Attr => &[Column::SearchPaths],
            Self::Reason => &[Column::SeverityReason, Column::ApprovedReason, Column::RejectedReason],
        }
    }

    /// Whether everybody who may list drifts may see it.
    const fn is_public(self) -> bool {
        matches!(self, Self::Stack | Self::Account | Self::Type)
    }
}

/// Returns the condition of `q` for these readers. Nobody finds a drift by what they may not see.
///
/// # Errors
/// 400 if the words search what only users may see, and the reader is not one.
pub(crate) fn search(q: &str, audience: Audience) -> Result<Condition, ApiError> {
    let (mut free, mut all) = (Vec::new(), Condition::all());
    for part in q.split_whitespace() {
        let word = part.split_once(':').and_then(|(word, value)| Some((word.parse::<Word>().ok()?, value)));
        match word {
            Some((_, "")) => {}
            Some((word, value)) if word.is_public() || audience > Audience::Public => {
                all = all.add(any(word.columns(), value));
            }
            Some(_) => return Err(ApiError::validation("q", "attr: and reason: need a login")),
            None => free.push(part),
        }
    }
    if free.is_empty() {
        return Ok(all);
    }
    let text = free.join(" ");
    let mut columns = vec![Column::SearchText, Column::Stack, Column::AccountId];
    if audience > Audience::Public {
        columns.extend(Word::Attr.columns().iter().chain(Word::Reason.columns()));
    }
    Ok(all.add(any(&columns, &text)))
}

fn any(columns: &[Column], part: &str) -> Condition {
    let one = |column: &Column| database::text_contains(Func::lower(Expr::col(*column)).into(), part);
    columns.iter().map(one).fold(Condition::any(), Condition::add)
}
