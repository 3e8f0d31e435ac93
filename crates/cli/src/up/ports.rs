//! The four ports: chosen once, kept from then on, so that what clients were told stays true.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
};

use anyhow::{anyhow, bail, ensure};
use serde::{Deserialize, Serialize};

use super::UpArgs;
use crate::clock;

/// Ports to choose from: below the range that the system gives to outgoing connections.
const FIRST_PORT: u16 = 12_000;
const LAST_PORT: u16 = 31_999;
/// Ports tried before giving up.
const MAX_TRIES: usize = 1000;

/// Where each part listens on the loopback address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ports {
    /// The dashboard and API.
    pub(super) web: u16,
    /// The agents' listener.
    pub(super) hub: u16,
    /// S3.
    pub(super) s3: u16,
    /// Garage's own protocol.
    pub(super) rpc: u16,
}

impl Ports {
    /// The ports that were asked for, else those of the last start, else free ones. Each is free.
    pub(super) fn choose(args: &UpArgs, last: Option<Self>) -> anyhow::Result<Self> {
        let mut taken: Vec<u16> = Vec::new();
        let fixed = [args.web_port, args.hub_port, args.s3_port, args.rpc_port];
        let last = last.map_or([None; 4], |last| {
            [last.web, last.hub, last.s3, last.rpc].map(Some)
        });
        let names = ["dashboard", "agents", "S3", "Garage's own protocol"];
        let flags = ["--web-port", "--hub-port", "--s3-port", "--rpc-port"];
        let wanted: Vec<_> = fixed
            .iter()
            .zip(last)
            .map(|(fixed, last)| fixed.or(last))
            .collect();
        let mut ports = [0; 4];
        for (index, wanted) in wanted.iter().enumerate() {
            if let Some(port) = *wanted {
                ensure!(
                    !taken.contains(&port),
                    "Port {port} is asked for twice. Give {} another number.",
                    flags[index]
                );
                require_free(port, names[index], flags[index])?;
                taken.push(port);
                ports[index] = port;
            }
        }
        for port in ports.iter_mut().filter(|port| **port == 0) {
            *port = free_port(&taken)?;
            taken.push(*port);
        }
        let [web, hub, s3, rpc] = ports;
        Ok(Self { web, hub, s3, rpc })
    }

    /// Where people open the dashboard: by a name, since passkeys belong to one.
    pub(super) fn dashboard_url(self) -> String {
        format!("http://localhost:{}", self.web)
    }

    /// Where programs find the API.
    pub(super) fn web_url(self) -> String {
        format!("http://127.0.0.1:{}", self.web)
    }

    /// Where agents connect to.
    pub(super) fn hub_url(self) -> String {
        format!("https://127.0.0.1:{}", self.hub)
    }

    /// Where S3 is spoken.
    pub(super) fn s3_endpoint(self) -> String {
        format!("http://127.0.0.1:{}", self.s3)
    }
}

fn require_free(port: u16, name: &str, flag: &str) -> anyhow::Result<()> {
    match listen(port) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(anyhow!(
            "Port {port} ({name}) is taken by another program. End that program, or choose another \
             port with {flag}."
        )),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(anyhow!(
            "Port {port} ({name}) is not for this user to listen on. Choose one above 1023 with {flag}."
        )),
        Err(error) => Err(anyhow!(
            "Port {port} ({name}) cannot be listened on ({error}). Choose another with {flag}."
        )),
    }
}

fn free_port(taken: &[u16]) -> anyhow::Result<u16> {
    for _ in 0..MAX_TRIES {
        let port = FIRST_PORT + u16::from_be_bytes(clock::random()?) % (LAST_PORT - FIRST_PORT + 1);
        if !taken.contains(&port) && listen(port).is_ok() {
            return Ok(port);
        }
    }
    bail!(
        "No port from {FIRST_PORT} to {LAST_PORT} is free. Name ports with --web-port, --hub-port, --s3-port \
         and --rpc-port."
    )
}

fn listen(port: u16) -> io::Result<()> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map(drop)
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use clap::Parser;

    use super::{Ports, UpArgs};

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        up: UpArgs,
    }

    fn args(line: &[&str]) -> UpArgs {
        Line::try_parse_from(line).unwrap().up
    }

    #[test]
    fn ports_are_free_different_and_kept() {
        let ports = Ports::choose(&args(&["up"]), None).unwrap();
        let mut all = vec![ports.web, ports.hub, ports.s3, ports.rpc];
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 4);
        assert_eq!(Ports::choose(&args(&["up"]), Some(ports)).unwrap(), ports);
    }

    #[test]
    fn a_taken_port_is_named_with_the_way_out() {
        let held = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = held.local_addr().unwrap().port();
        let error =
            Ports::choose(&args(&["up", "--s3-port", &port.to_string()]), None).unwrap_err();
        let words = error.to_string();
        assert!(
            words.contains(&port.to_string()) && words.contains("--s3-port"),
            "{words}"
        );
    }

    #[test]
    fn one_port_for_two_things_is_refused() {
        let free = Ports::choose(&args(&["up"]), None).unwrap().web.to_string();
        let error = Ports::choose(
            &args(&["up", "--web-port", &free, "--hub-port", &free]),
            None,
        )
        .unwrap_err();
        assert!(error.to_string().contains("--hub-port"));
    }
}
