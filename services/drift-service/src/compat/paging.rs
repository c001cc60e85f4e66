use http::ApiError;
use serde::Serialize;
use utoipa::ToSchema;

/// The last entry that a page can show. Deeper pages and exact totals would make the database read the whole list.
pub(super) const DEEPEST: u64 = 10_000;
const LARGEST_PAGE: u64 = 100;
const DEFAULT_PAGE: u64 = 20;

/// A page of a numbered list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Paging {
    page: u64,
    size: u64,
}

/// A page, as the old contract sends it.
#[derive(Serialize, ToSchema)]
pub(super) struct Items<T> {
    items: Vec<T>,
    pagination: Pagination,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pagination {
    /// At most 10,000, even if more entries match.
    total: u64,
    page: u64,
    page_size: u64,
    total_pages: u64,
    has_more: bool,
}

impl Paging {
    /// Reads `page`, `limit` and `pageSize`. A page has at most 100 entries, however many the request asks for.
    ///
    /// # Errors
    /// 400 for a page that does not exist.
    pub(super) fn new(page: Option<u64>, size: Option<u64>) -> Result<Self, ApiError> {
        let (page, size) = (page.unwrap_or(1), size.unwrap_or(DEFAULT_PAGE).min(LARGEST_PAGE));
        if size == 0 {
            return Err(ApiError::validation("limit", "must be at least 1"));
        }
        let last = DEEPEST.div_ceil(size);
        if !(1..=last).contains(&page) {
            return Err(ApiError::validation("page", format!("must be from 1 to {last}")));
        }
        Ok(Self { page, size })
    }

    pub(super) fn offset(self) -> u64 {
        (self.page - 1) * self.size
    }

    /// Returns the number of entries, which is smaller on the last page of the longest list.
    pub(super) fn limit(self) -> u64 {
        self.size.min(DEEPEST - self.offset())
    }

    pub(super) fn show<T>(self, items: Vec<T>, total: u64) -> Items<T> {
        let Self { page, size } = self;
        let total_pages = total.div_ceil(size);
        let pagination =
            Pagination { total, page, page_size: size, total_pages, has_more: page < total_pages };
        Items { items, pagination }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_page_is_larger_or_deeper_than_the_bounds() {
        let paging = |page, size| Paging::new(Some(page), Some(size)).ok();
        assert_eq!(Paging::new(None, None).unwrap(), Paging { page: 1, size: 20 });
        assert_eq!(paging(2, u64::MAX), Some(Paging { page: 2, size: 100 }));
        assert!(paging(100, 100).is_some() && paging(10_000, 1).is_some());
        for (page, size) in [(0, 20), (1, 0), (101, 100), (10_001, 1), (u64::MAX, 20)] {
            assert_eq!(paging(page, size), None, "{page} {size}");
        }
        let last = paging(1429, 7).unwrap();
        assert_eq!((last.offset(), last.limit()), (9_996, 4));
    }

    #[test]
    fn a_page_tells_its_place() {
        let pages = |page, total| Paging::new(Some(page), Some(10)).unwrap().show(vec![0], total).pagination;
        let Pagination { total_pages, has_more, .. } = pages(2, 21);
        assert_eq!((total_pages, has_more), (3, true));
        let Pagination { total_pages, has_more, .. } = pages(3, 21);
        assert_eq!((total_pages, has_more), (3, false));
        assert_eq!(pages(1, 0).total_pages, 0);
    }
}
