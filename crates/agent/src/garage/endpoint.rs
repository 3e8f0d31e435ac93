//! Where Garage's admin API listens.

use std::{fmt, path::PathBuf, str::FromStr};

/// Where the admin API listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A unix socket.
    Unix(PathBuf),
    /// Plain HTTP: `host:port`.
    Tcp(String),
}

impl FromStr for Endpoint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(path) = text
            .strip_prefix("unix:")
            .filter(|path| path.starts_with('/'))
        {
            return Ok(Self::Unix(PathBuf::from(path)));
        }
        let authority = text
            .strip_prefix("http://")
            .map(|rest| rest.trim_end_matches('/'));
        let port = authority.and_then(|authority| authority.rsplit_once(':'));
        match (authority, port.map(|(_, port)| port.parse::<u16>())) {
            (Some(authority), Some(Ok(_))) => Ok(Self::Tcp(authority.to_owned())),
            _ => Err(format!(
                "`{text}` is no address of Garage's admin API: write unix:/path/to/admin.sock or \
                 http://127.0.0.1:3903"
            )),
        }
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Tcp(authority) => write!(f, "http://{authority}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn an_endpoint_is_a_unix_path_or_plain_http_with_a_port() {
        assert!(matches!("unix:/run/g.sock".parse(), Ok(Endpoint::Unix(_))));
        assert!(matches!(
            "http://127.0.0.1:3903".parse(),
            Ok(Endpoint::Tcp(_))
        ));
        assert!(matches!("http://[::1]:3903/".parse(), Ok(Endpoint::Tcp(_))));
        for wrong in [
            "unix:relative",
            "https://garage:3903",
            "http://garage",
            "garage:3903",
            "",
        ] {
            let error = wrong.parse::<Endpoint>().unwrap_err();
            assert!(error.contains("unix:/path"), "{error}");
        }
    }
}
