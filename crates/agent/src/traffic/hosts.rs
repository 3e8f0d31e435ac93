//! Which bucket a request names, by its host and path, read as Garage reads them.

use storm_protocol::ident::BucketAddress;

/// The longest first part of a path that is looked at, in bytes: an id of 64 digits, each of them
/// escaped.
const MAX_SEGMENT_BYTES: usize = 3 * 64;

/// The hosts under which buckets are reached.
#[derive(Debug, Clone, Default)]
pub(super) struct Hosts {
    s3: Vec<String>,
    website: Vec<String>,
}

impl Hosts {
    /// Hosts that speak S3, and hosts that show websites.
    pub(super) fn new(s3: &[String], website: &[String]) -> Self {
        Self {
            s3: s3.to_vec(),
            website: website.to_vec(),
        }
    }

    /// The bucket of a request for `target`, a path or a whole URL, at `host`. `None` when it names
    /// none, such as a list of all buckets.
    pub(super) fn bucket(&self, host: &str, target: &str) -> Option<BucketAddress> {
        let host = without_port(host).to_ascii_lowercase();
        if self.s3.contains(&host) {
            return in_path(target);
        }
        // A website's host that stands there whole is that of one bucket, which is called so.
        if self.website.contains(&host) {
            return host.parse().ok();
        }
        let below = |parent: &String| host.strip_suffix(parent.as_str())?.strip_suffix('.');
        let mut hosts = self.s3.iter().chain(&self.website);
        hosts.find_map(below)?.parse().ok()
    }
}

fn without_port(host: &str) -> &str {
    let end = if host.starts_with('[') {
        host.find(']').map(|at| at + 1)
    } else {
        host.find(':')
    };
    end.map_or(host, |end| &host[..end])
}

fn in_path(target: &str) -> Option<BucketAddress> {
    // A request may name its host once more, before the path.
    let path = match target.split_once("://") {
        Some(("http" | "https", rest)) => &rest[rest.find('/')?..],
        Some(_) | None => target,
    };
    let path = path.split(['?', '#']).next()?.trim_start_matches('/');
    decoded(path.split('/').next()?)?.parse().ok()
}

/// Undoes percent-encoding: who escapes a bucket's name is counted all the same.
fn decoded(segment: &str) -> Option<String> {
    if segment.len() > MAX_SEGMENT_BYTES {
        return None;
    }
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            let mut byte = [0];
            hex::decode_to_slice(digits, &mut byte).ok()?;
            bytes.push(byte[0]);
            rest = after;
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::Hosts;

    fn bucket(host: &str, target: &str) -> Option<String> {
        let hosts = Hosts::new(
            &["s3.example.org".to_owned(), "[::1]".to_owned()],
            &["web.example.org".to_owned(), "www.shop.example".to_owned()],
        );
        hosts.bucket(host, target).map(|name| name.to_string())
    }

    #[test]
    fn a_bucket_is_found_in_path_and_host() {
        for (host, target) in [
            ("s3.example.org", "/photos"),
            ("S3.example.org:443", "/photos/a/b.jpg?X-Amz-Signature=0"),
            ("s3.example.org", "//photos/"),
            ("s3.example.org", "/photos?list-type=2"),
            ("s3.example.org", "/%70hotos/a"),
            ("s3.example.org", "http://s3.example.org/photos/a"),
            ("[::1]:3900", "/photos/a"),
            ("photos.s3.example.org", "/other/a"),
            ("photos.s3.example.org:9000", "/"),
            ("photos.web.example.org", "/index.html"),
        ] {
            assert_eq!(
                bucket(host, target).as_deref(),
                Some("photos"),
                "{host} {target}"
            );
        }
        assert_eq!(
            bucket("a.b.c.s3.example.org", "/").as_deref(),
            Some("a.b.c")
        );
        assert_eq!(
            bucket("www.shop.example", "/x").as_deref(),
            Some("www.shop.example")
        );
        let id = "0123456789abcdef".repeat(4);
        let by_id = bucket("s3.example.org", &format!("/{id}/a"));
        assert_eq!(by_id.as_deref(), Some(&*id));
    }

    #[test]
    fn what_names_no_bucket_counts_for_none() {
        for (host, target) in [
            ("s3.example.org", "/"),
            ("s3.example.org", ""),
            ("s3.example.org", "/?x"),
            ("s3.example.org", "*"),
            ("s3.example.org", "/Photos/a"),
            ("s3.example.org", "/ph%/a"),
            ("s3.example.org", "/ph%zzotos"),
            ("s3.example.org", "https://s3.example.org"),
            ("evils3.example.org", "/photos"),
            ("photos.evil.org", "/photos"),
            ("web.example.org", "/photos/index.html"),
            ("[::1", "/photos"),
            ("", "/photos"),
        ] {
            let found = bucket(host, target);
            let expected = (host == "web.example.org").then(|| host.to_owned());
            assert_eq!(found, expected, "{host} {target}");
        }
        assert_eq!(
            bucket("s3.example.org", &format!("/{}", "a".repeat(4000))),
            None
        );
    }
}
