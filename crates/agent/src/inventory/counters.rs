//! Garage's own counters of local changes, read from its metrics: they move with every change of
//! what this node stores, whatever its cause, and stand still otherwise. The same text says whether
//! this node stores something of everything.

const METRIC: &str = "table_internal_update_counter{";
const BUILD_INFO: &str = "garage_build_info{";
const COPIES: &str = "garage_replication_factor ";
const STORAGE_NODES: &str = "cluster_storage_nodes ";
const LAYOUT_NODE: &str = "cluster_layout_node_connected{";
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
/// Those of them that keys and their rights live in. Every node has all of them.
const KEY_TABLES: [usize; 2] = [2, 3];

/// What the metrics say of changes at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counters {
    /// `None` for a table that was not in the metrics: nothing changed in it since Garage started.
    tables: [Option<u64>; TABLES.len()],
    /// As many storage nodes as copies, and no other node: sizes of all buckets are stored here.
    stores_all: bool,
}

impl Counters {
    /// Reads the text of `/metrics`, which is long and read often: once through.
    pub(super) fn parse(text: &str) -> Self {
        let mut tables = [None; TABLES.len()];
        let (mut copies, mut storage_nodes, mut gateways) = (None, None, false);
        for line in text.lines() {
            if let Some((labels, value)) = sample(line, METRIC) {
                add(&mut tables, labels, value);
            } else if let Some((labels, _)) = sample(line, LAYOUT_NODE) {
                gateways |= label(labels, "role_gateway") == Some("1");
            } else if let Some(value) = line.strip_prefix(COPIES) {
                copies = whole_number(value);
            } else if let Some(value) = line.strip_prefix(STORAGE_NODES) {
                storage_nodes = whole_number(value);
            }
        }
        Self {
            tables,
            // A gateway stores no sizes, and this node may be one.
            stores_all: copies.is_some() && copies == storage_nodes && !gateways,
        }
    }

    /// Whether these counters show every change of the cluster: where there are none, or where this
    /// node may store only some of the buckets' sizes, they do not.
    pub(super) fn show_every_change(self) -> bool {
        self.stores_all && self.tables.iter().any(Option::is_some)
    }

    /// Whether nothing that these counters show has changed since `before`.
    pub(super) fn stood_still(self, before: Self) -> bool {
        self == before
    }

    /// Whether no key can have changed since `before`.
    pub(super) fn keys_stood_still(self, before: Self) -> bool {
        KEY_TABLES.iter().all(|table| {
            self.tables[*table].is_some() && self.tables[*table] == before.tables[*table]
        })
    }
}

fn add(tables: &mut [Option<u64>; TABLES.len()], labels: &str, value: &str) {
    let table = label(labels, "table_name");
    let index = TABLES.iter().position(|name| Some(*name) == table);
    if let (Some(index), Some(value)) = (index, whole_number(value)) {
        let counter = tables[index].get_or_insert(0);
        *counter = counter.wrapping_add(value);
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
cluster_layout_node_connected{id=\"a1b2\",role_capacity=\"10\",role_gateway=\"0\",role_zone=\"z\"} 1
cluster_storage_nodes 3
garage_build_info{rustversion=\"1.95.0\",version=\"cargo:2.5.0\"} 1
garage_replication_factor 3
table_internal_update_counter{table_name=\"bucket_v2\"} 12
table_internal_update_counter{table_name=\"key\"} 7
table_internal_update_counter{table_name=\"object\"} 99999
table_internal_update_counter{table_name=\"bucket_object_counter\"} 3.0
table_get_request_counter{table_name=\"key\"} 4
";

    #[test]
    fn the_five_tables_are_read_and_nothing_else() {
        let counters = Counters::parse(TEXT);
        assert_eq!(counters.tables, [Some(3), None, Some(12), Some(7), None]);
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
        let restarted = Counters::default();
        assert!(!restarted.stood_still(before) && !before.stood_still(restarted));
        assert!(!restarted.keys_stood_still(restarted));
    }

    #[test]
    fn only_a_node_that_stores_everything_sees_every_change() {
        assert!(Counters::parse(TEXT).show_every_change());
        for partial in [
            TEXT.replace("cluster_storage_nodes 3", "cluster_storage_nodes 4"),
            TEXT.replace("garage_replication_factor 3", "garage_replication_factor 2"),
            TEXT.replace("garage_replication_factor", "replication_factor"),
            TEXT.replace("cluster_storage_nodes", "storage_nodes"),
            TEXT.replace("role_gateway=\"0\"", "role_gateway=\"1\""),
            TEXT.replace("table_internal_update_counter", "table_updates"),
        ] {
            assert!(!Counters::parse(&partial).show_every_change(), "{partial}");
        }
    }
}
