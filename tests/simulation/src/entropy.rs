//! One source of random bytes for everything in a thread, so that a seed determines a run.

use std::cell::Cell;

use fastrand::Rng;

thread_local! {
    /// The state of the source; `None` in threads that no simulation uses.
    static STATE: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Determines all random bytes of this thread, those of the standard library included. Must be called before the
/// thread uses any.
pub(crate) fn seed(seed: u64) {
    STATE.set(Some(seed));
}

/// Replaces the function of the C library, from which the standard library and all others get their random bytes.
#[expect(unsafe_code, reason = "no safe function can replace one of the C library")]
#[unsafe(no_mangle)]
unsafe extern "C" fn getrandom(
    bytes: *mut libc::c_void,
    length: libc::size_t,
    flags: libc::c_uint,
) -> libc::ssize_t {
    let Some(state) = STATE.get() else {
        // SAFETY: the arguments are those of the caller.
        let filled = unsafe { libc::syscall(libc::SYS_getrandom, bytes, length, flags) };
        return libc::ssize_t::try_from(filled).unwrap_or(-1);
    };
    let mut rng = Rng::with_seed(state);
    // SAFETY: the caller owns `length` bytes there.
    rng.fill(unsafe { std::slice::from_raw_parts_mut(bytes.cast::<u8>(), length) });
    STATE.set(Some(rng.get_seed()));
    libc::ssize_t::try_from(length).unwrap_or(libc::ssize_t::MAX)
}
