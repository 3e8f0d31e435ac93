//! A month's use as a table: RFC 4180, with a header that stays as it is.

use storm_protocol::api::{UsageExport, UsageRow};

/// The header. Columns may be added at its end, none is renamed or moved.
const HEADER: &str =
    "month,account,region,bucket,name,byte_hours,peak_bytes,requests,sent_bytes,complete";
/// What ends a line.
const LINE_END: &str = "\r\n";

/// Writes the table: a row for each bucket, then one without a bucket for the account. A figure that is
/// not counted is an empty cell. No cell can hold a comma, a quote or a formula: ids are hex digits,
/// names and regions are letters, digits, `-` and `.` and begin with a letter or digit.
pub(crate) fn write(export: &UsageExport) -> String {
    let mut text = format!("{HEADER}{LINE_END}");
    for row in export.buckets.iter().chain([&export.total]) {
        text.push_str(&line(export, row));
        text.push_str(LINE_END);
    }
    text
}

fn line(export: &UsageExport, row: &UsageRow) -> String {
    let cells = [
        export.month.to_string(),
        export.account.to_string(),
        cell(row.region.as_ref()),
        cell(row.bucket.as_ref()),
        cell(row.name.as_ref()),
        row.byte_hours.to_string(),
        row.peak_bytes.to_string(),
        cell(row.requests.as_ref()),
        cell(row.sent_bytes.as_ref()),
        export.complete.to_string(),
    ];
    cells.join(",")
}

fn cell(value: Option<&impl ToString>) -> String {
    value.map(ToString::to_string).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use storm_protocol::{api::UsageExport, ident::BucketId};

    use super::*;

    #[test]
    fn a_table_with_what_is_not_counted_left_empty() {
        let total = UsageRow {
            bucket: None,
            region: None,
            name: None,
            byte_hours: 5,
            peak_bytes: 7,
            requests: None,
            sent_bytes: None,
        };
        let bucket = UsageRow {
            bucket: Some(BucketId([0xaa; 32])),
            region: Some("home".parse().unwrap()),
            name: Some("photos".parse().unwrap()),
            requests: Some(3),
            sent_bytes: Some(9),
            ..total.clone()
        };
        let account = "01900000-0000-7000-8000-000000000000";
        let export = UsageExport {
            month: "2026-11".parse().unwrap(),
            account: account.parse().unwrap(),
            complete: false,
            buckets: vec![bucket],
            total,
        };
        let id = "aa".repeat(32);
        assert_eq!(
            write(&export),
            format!(
                "month,account,region,bucket,name,byte_hours,peak_bytes,requests,sent_bytes,complete\r\n\
                 2026-11,{account},home,{id},photos,5,7,3,9,false\r\n\
                 2026-11,{account},,,,5,7,,,false\r\n"
            )
        );
    }
}
