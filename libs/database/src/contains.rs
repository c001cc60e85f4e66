use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};

/// Returns the condition that a column of lower-case text contains `part`; see [`text_contains`].
pub fn contains(column: impl ColumnTrait, part: &str) -> Expr {
    text_contains(Expr::col(column), part)
}

/// Returns the condition that a lower-case text contains `part`, whatever the case of `part`. `%` and `_` are
/// ordinary characters.
pub fn text_contains(text: Expr, part: &str) -> Expr {
    let escaped = part.to_lowercase().replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    text.like(LikeExpr::new(format!("%{escaped}%")).escape('\\'))
}
