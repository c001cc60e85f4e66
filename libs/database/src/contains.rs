use sea_orm::ColumnTrait;
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr};

/// Returns the condition that a column of lower-case text contains `text`, whatever the case of `text`. `%`
/// and `_` are ordinary characters.
pub fn contains(column: impl ColumnTrait, text: &str) -> Expr {
    let escaped = text.to_lowercase().replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_");
    Expr::col(column).like(LikeExpr::new(format!("%{escaped}%")).escape('\\'))
}
