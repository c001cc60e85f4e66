use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const TIMEOUT: Duration = Duration::from_secs(3);

/// Asks the process that listens on `port` of this machine whether it is ready: what a container's
/// health check runs, in an image that has no curl.
pub(crate) fn healthcheck(port: u16) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, TIMEOUT).context("nothing listens")?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.write_all(b"GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).context("no answer in time")?;
    ensure!(answer.starts_with("HTTP/1.1 200"), "not ready: {}", answer.lines().last().unwrap_or_default());
    Ok(())
}
