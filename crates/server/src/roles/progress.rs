//! How far jobs are, for a process of web: read from the table in which hubs write it down.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::{
    app::{App, Change, Word},
    store,
};

/// Milliseconds between looks: hubs write once a second.
const LOOK_MILLISECONDS: u64 = 1_000;

/// Follows the table until `stop`, and tells the dashboards of this process.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    loop {
        if let Err(error) = look(&app).await {
            tracing::error!(%error, "how far jobs are could not be read; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(Duration::from_millis(LOOK_MILLISECONDS)) => {}
        }
    }
}

async fn look(app: &App) -> store::Result<()> {
    for job in app.store.job_progress().await? {
        let (account, id) = (job.account, job.operation);
        if app.bus.progress.read(job.agent, account, id, job.progress) {
            // Here alone: each process reads for itself.
            app.bus.hear(Word::Change(Change::Operation(account, id)));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use storm_protocol::{
        api::Progress,
        command::{BucketClear, Command},
        ident::{AgentId, BucketId},
    };

    use super::look;
    use crate::{
        app::{App, Bus, Change},
        testing::World,
    };

    #[tokio::test]
    async fn a_web_shows_how_far_a_job_is_without_hearing_of_it() {
        let world = World::new().await;
        let clear = Command::BucketClear(BucketClear {
            bucket: BucketId([7; 32]),
        });
        let id = world.ask(&world.customer, clear).await;
        let now = world.app.clock.now();
        let agent = AgentId::new(now, [1; 10]);
        let set = format!(
            "UPDATE operations SET state = 'accepted', agent = '{agent}' WHERE id = '{id}'"
        );
        world.sql(&set).await;
        let mut progress = Progress {
            objects: 3,
            bytes: 4,
            total_objects: None,
            total_bytes: None,
            at: now,
        };
        let store = &world.app.store;
        let row = |progress: &Progress| [(id, agent, progress.clone())];
        store.keep_job_progress(&row(&progress)).await.unwrap();
        let web = App {
            bus: Arc::new(Bus::default()),
            ..world.app.clone()
        };
        let mut changes = web.bus.listen();
        let told = Change::Operation(world.customer.account, id);
        for objects in [3, 9] {
            progress.objects = objects;
            progress.at = progress.at.plus_seconds(1);
            store.keep_job_progress(&row(&progress)).await.unwrap();
            look(&web).await.unwrap();
            assert_eq!(changes.try_recv().unwrap(), told);
            // Seen before: nothing to tell.
            look(&web).await.unwrap();
            assert!(changes.try_recv().is_err());
            let operation = store.operation(id).await.unwrap().unwrap();
            assert_eq!(
                web.bus.progress.with(operation).progress,
                Some(progress.clone())
            );
        }
        // Another agent than the one that has it is not believed, and what has ended is forgotten.
        let stranger = AgentId::new(now, [2; 10]);
        let strange = [(id, stranger, progress.clone())];
        store.keep_job_progress(&strange).await.unwrap();
        assert!(store.job_progress().await.unwrap().is_empty());
        store.keep_job_progress(&row(&progress)).await.unwrap();
        let ended = format!("UPDATE operations SET state = 'failed' WHERE id = '{id}'");
        world.sql(&ended).await;
        assert!(store.job_progress().await.unwrap().is_empty());
        store.drop_job_progress().await.unwrap();
        assert_eq!(world.count("SELECT COUNT(*) FROM job_progress").await, 0);
    }
}
