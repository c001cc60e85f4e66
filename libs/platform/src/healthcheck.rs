use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the process that listens on `port` of this machine whether it is ready. A container's health check
/// runs this, because the image has no curl.
pub(crate) fn healthcheck(port: u16) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream =
        TcpStream::connect_timeout(&address, TIMEOUT).context("no process listens on the port")?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("no response in time")?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "not ready: {}", answer.lines().last().unwrap_or_default());
    Ok(())
}
