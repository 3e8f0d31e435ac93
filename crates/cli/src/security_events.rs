//! `storm audit security`: what an operator should see.

use anyhow::Result;
use clap::Args;
use storm_protocol::api::SecurityEventPage;

use crate::{
    client::query,
    clock,
    output::{self, Column, Sheet},
    session::Session,
    units,
};

/// How many events.
#[derive(Debug, Args)]
pub(crate) struct List {
    /// How many
    #[arg(long, value_name = "N", default_value = "50", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
}

/// Lists them.
pub(crate) async fn list(session: &Session, args: &List) -> Result<()> {
    let limit = args.limit.to_string();
    let path = query("/security-events", &[("limit", Some(&limit))]);
    let events = session.api.get::<SecurityEventPage>(&path).await?.items;
    session.show(&events, || {
        let mut sheet = Sheet::new(&[
            Column::Text("When"),
            Column::Text("What"),
            Column::Text("About"),
            Column::Text("From"),
            Column::Text("In words"),
        ]);
        let now = clock::now();
        for event in &events {
            sheet.row([
                units::when(now, event.at),
                event.kind.clone(),
                output::maybe(event.subject.clone(), |subject| subject),
                output::maybe(event.origin.clone(), |origin| origin),
                event.detail.clone(),
            ]);
        }
        sheet.print("Nothing happened that an operator should see.")
    })
}
