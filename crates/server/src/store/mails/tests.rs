//! A message's way out.

use storm_protocol::ident::Micros;

use super::queue;
use crate::{mail::Mail, store::Durability, testing::World};

fn mail(to: &str) -> Mail {
    let words = |what: &str| format!("{what} for {to}");
    Mail {
        to: to.to_owned(),
        subject: words("subject"),
        text: words("text"),
        html: words("html"),
    }
}

async fn queued(world: &World, to: &str, at: i64) {
    let mut change = world.app.store.write(Durability::Process).await.unwrap();
    queue(&mut change, None, &mail(to), Micros(at))
        .await
        .unwrap();
    change.commit().await.unwrap();
}

#[tokio::test]
async fn a_message_waits_until_it_went_or_is_given_up() {
    let world = World::new().await;
    let store = &world.app.store;
    queued(&world, "ann@example.org", 1).await;
    queued(&world, "bob@example.org", 2).await;
    queued(&world, "cal@example.org", 9).await;
    assert!(!store.are_mails_full().await.unwrap());

    let due = store.mails_due(Micros(5), 10).await.unwrap();
    let to: Vec<_> = due.iter().map(|queued| queued.mail.clone()).collect();
    assert_eq!(to, [mail("ann@example.org"), mail("bob@example.org")]);
    assert_eq!((due[0].attempts, due[0].created_at), (0, Micros(1)));
    assert_eq!(store.mails_due(Micros(5), 1).await.unwrap().len(), 1);

    // One goes. The other is tried again later, and given up in the end.
    let (ann, bob) = (&due[0].id, &due[1].id);
    store.mail_sent(ann, Micros(6)).await.unwrap();
    let later = Some(Micros(8));
    store
        .mail_not_sent(bob, "no route", later, Micros(6))
        .await
        .unwrap();
    assert_eq!(store.mails_due(Micros(7), 10).await.unwrap().len(), 0);
    let again = store.mails_due(Micros(8), 10).await.unwrap();
    assert_eq!((&again[0].id, again[0].attempts), (bob, 1));
    store
        .mail_not_sent(bob, "no route", None, Micros(8))
        .await
        .unwrap();
    let due = store.mails_due(Micros(9), 10).await.unwrap();
    assert_eq!(due.len(), 1, "{due:?}");

    // What ended says nothing any more, and is not sent twice.
    let silent = "SELECT COUNT(*) FROM mails WHERE state IN ('sent', 'failed') AND body_text IS NULL \
                  AND body_html IS NULL AND attempts > 0";
    assert_eq!(world.count(silent).await, 2);
    store.mail_sent(bob, Micros(9)).await.unwrap();
    assert_eq!(
        world
            .count("SELECT COUNT(*) FROM mails WHERE state = 'sent'")
            .await,
        1
    );

    // What waits stays, however old it is.
    store.drop_mails(Micros(100)).await.unwrap();
    assert_eq!(world.count("SELECT COUNT(*) FROM mails").await, 1);
    assert_eq!(store.mails_due(Micros(9), 10).await.unwrap().len(), 1);
}
