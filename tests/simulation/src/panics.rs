//! Panics of the thread of a run. Real processes contain some of them, but no run may have one.

use std::cell::RefCell;
use std::panic::{set_hook, take_hook};
use std::sync::Once;

thread_local! {
    /// The first panic; `None` in threads of no run.
    static FIRST: RefCell<Option<Option<String>>> = const { RefCell::new(None) };
}

/// Records the panics of this thread from now on.
pub(crate) fn record() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = take_hook();
        set_hook(Box::new(move |panic| {
            let is_of_a_run = FIRST.with_borrow_mut(|first| {
                first.as_mut().is_some_and(|first| {
                    first.get_or_insert_with(|| panic.to_string());
                    true
                })
            });
            if !is_of_a_run {
                usual(panic);
            }
        }));
    });
    FIRST.set(Some(None));
}

/// The first panic of this thread.
pub(crate) fn first() -> Option<String> {
    FIRST.with_borrow(|first| first.clone().flatten())
}
