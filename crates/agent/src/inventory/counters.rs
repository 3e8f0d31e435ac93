//! Garage's own counters of local changes, read from its metrics: they move with every change,
//! whatever its cause, and stand still otherwise.

const METRIC: &str = "table_internal_update_counter{";
const BUILD_INFO: &str = "garage_build_info{";
/// The most characters of Garage's version that are repeated.
const MAX_VERSION_CHARS: usize = 64;
/// The tables that buckets, keys and their sizes live in.
const TABLES: [&str; 5] = [
    "bucket_object_counter",
    "bucket_mpu_counter",
    "bucket_v2",
    "key",
    "bucket_alias",
];
/// Those of them that keys and their rights live in.
const KEY_TABLES: [usize; 2] = [2, 3];

/// The counters at one moment; `None` for a table that was not in the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters([Option<u64>; TABLES.len()]);

impl Counters {
    /// Reads the text of `/metrics`.
    pub(super) fn parse(text: &str) -> Self {
        let mut counters = Self::default();
        for line in text.lines() {
            let Some((labels, value)) = sample(line, METRIC) else {
                continue;
            };
            let table = label(labels, "table_name");
            let index = TABLES.iter().position(|name| Some(*name) == table);
            if let (Some(index), Some(value)) = (index, whole_number(value)) {
                let counter = counters.0[index].get_or_insert(0);
                *counter = counter.wrapping_add(value);
            }
        }
        counters
    }

    /// Whether nothing can have changed since `before`. Never so without any counter.
    pub(super) fn stood_still(self, before: Self) -> bool {
        self == before && self.0.iter().any(Option::is_some)
    }

    /// Whether no key can have changed since `before`.
    pub(super) fn keys_stood_still(self, before: Self) -> bool {
        KEY_TABLES
            .iter()
            .all(|table| self.0[*table].is_some() && self.0[*table] == before.0[*table])
    }
}

/// Garage's version in the text of `/metrics`.
pub(super) fn garage_version(text: &str) -> Option<String> {
    let (labels, _) = text.lines().find_map(|line| sample(line, BUILD_INFO))?;
    let version = label(labels, "version")?;
    Some(version.chars().take(MAX_VERSION_CHARS).collect())
}

fn sample<'a>(line: &'a str, metric: &str) -> Option<(&'a str, &'a str)> {
    line.strip_prefix(metric)?.split_once('}')
}

fn label<'a>(labels: &'a str, name: &str) -> Option<&'a str> {
    labels.split(',').find_map(|label| {
        let (found, value) = label.split_once('=')?;
        (found.trim() == name).then(|| value.trim().trim_matches('"'))
    })
}

fn whole_number(text: &str) -> Option<u64> {
    let text = text.split_whitespace().next()?;
    // A Prometheus value may be written as a float.
    text.strip_suffix(".0").unwrap_or(text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# HELP table_internal_update_counter Number of value updates
# TYPE table_internal_update_counter counter
garage_build_info{rustversion=\"1.95.0\",version=\"cargo:2.5.0\"} 1
table_internal_update_counter{table_name=\"bucket_v2\"} 12
table_internal_update_counter{table_name=\"key\"} 7
table_internal_update_counter{table_name=\"object\"} 99999
table_internal_update_counter{table_name=\"bucket_object_counter\"} 3.0
table_get_request_counter{table_name=\"key\"} 4
";

    #[test]
    fn the_five_tables_are_read_and_nothing_else() {
        let counters = Counters::parse(TEXT);
        assert_eq!(counters.0, [Some(3), None, Some(12), Some(7), None]);
        assert_eq!(garage_version(TEXT).as_deref(), Some("cargo:2.5.0"));
    }

    #[test]
    fn only_equal_counters_mean_that_nothing_changed() {
        let before = Counters::parse(TEXT);
        assert!(before.stood_still(before));
        let other_table = Counters::parse(&TEXT.replace("99999", "100000"));
        assert!(other_table.stood_still(before));
        for changed in [
            TEXT.replace("} 12", "} 13"),
            TEXT.replace("} 12", "} 2"),
            TEXT.replace("bucket_v2", "bucket_v3"),
        ] {
            let now = Counters::parse(&changed);
            assert!(!now.stood_still(before), "{changed}");
            assert!(!now.keys_stood_still(before), "{changed}");
        }
        let sizes = Counters::parse(&TEXT.replace("3.0", "4.0"));
        assert!(!sizes.stood_still(before) && sizes.keys_stood_still(before));
        // Without counters there is no telling.
        assert!(!Counters::default().stood_still(Counters::default()));
    }
}
