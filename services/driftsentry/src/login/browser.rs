use std::env;
use std::process::{Command, Stdio};

use reqwest::Url;

/// Opens a page in the browser if there is one. The page is printed in any case, so that a failure does not matter.
pub(super) fn open(page: &Url) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    // Without a display, `xdg-open` would start a browser in the terminal.
    if cfg!(target_os = "macos") || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") {
        let mut command = Command::new(program);
        command.arg(page.as_str()).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // Waits beside the login: a browser may run until its last window is closed.
        std::thread::spawn(move || command.status());
    }
}
