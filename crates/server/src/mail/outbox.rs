//! The task that sends what is queued. A message that a crash cut off may go twice, under the same
//! Message-ID; none is lost.

use std::{path::PathBuf, time::Duration};

use anyhow::Context as _;
use lettre::{
    AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor,
    message::{Mailbox, MultiPart},
    transport::smtp::authentication::Credentials,
};
use secrecy::ExposeSecret as _;
use storm_protocol::ident::Micros;
use tokio_util::sync::CancellationToken;

use crate::{
    app::App,
    config::{self, MailTls, Smtp},
    keys::{make_private_dir, write_file},
    mail::Mail,
    store::mails::Queued,
};

/// Seconds between looks, should a wake be lost.
const POLL_SECONDS: u64 = 30;
/// Messages that are taken at once.
const AT_ONCE: i64 = 20;
/// Seconds that a server has for a message.
const SMTP_SECONDS: u64 = 30;
/// Seconds until the second try; each further one waits twice as long, up to the most.
const FIRST_PAUSE_SECONDS: i64 = 60;
/// The most seconds between two tries.
const MOST_PAUSE_SECONDS: i64 = 6 * 3600;
/// Seconds after which a message is given up: 3 days.
const GIVE_UP_SECONDS: i64 = 3 * 24 * 3600;
/// Seconds that it is known that a message went: 30 days.
const KEEP_SECONDS: i64 = 30 * 24 * 3600;

/// Who may read a message that became a file: links are in it.
const FILE_MODE: u32 = 0o600;

/// Where messages go.
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// Sends until `stop`.
pub(crate) async fn run(app: App, stop: CancellationToken) -> anyhow::Result<()> {
    let way = match &app.config.mail.smtp {
        Some(smtp) => Way::Smtp(connect(smtp)?),
        None => Way::Folder(app.config.mail_folder()),
    };
    let from = sender(&app.config.mail)?;
    loop {
        if let Err(error) = send_due(&app, &way, &from, &stop).await {
            tracing::error!(%error, "queued e-mail cannot be read; it is tried again");
        }
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            () = app.bus.mail.notified() => {}
            () = tokio::time::sleep(Duration::from_secs(POLL_SECONDS)) => {}
        }
    }
}

/// Who messages are from.
pub(super) fn sender(mail: &config::Mail) -> anyhow::Result<Mailbox> {
    let from = mail.from.parse();
    from.with_context(|| format!("[mail] from \"{}\" is not an e-mail address", mail.from))
}

/// The connection to a mail server, which is made when something is sent.
pub(super) fn connect(smtp: &Smtp) -> anyhow::Result<AsyncSmtpTransport<Tokio1Executor>> {
    type Transport = AsyncSmtpTransport<Tokio1Executor>;
    let mut builder = match smtp.tls {
        MailTls::Implicit => Transport::relay(&smtp.host)?,
        MailTls::Starttls => Transport::starttls_relay(&smtp.host)?,
        MailTls::None => Transport::builder_dangerous(&smtp.host),
    };
    if let Some(port) = smtp.port {
        builder = builder.port(port);
    }
    if let Some((user, password)) = smtp.credentials()? {
        let password = password.expose_secret().to_owned();
        builder = builder.credentials(Credentials::new(user, password));
    }
    Ok(builder
        .timeout(Some(Duration::from_secs(SMTP_SECONDS)))
        .build())
}

/// Sends what is due; ends between two messages at `stop`.
async fn send_due(
    app: &App,
    way: &Way,
    from: &Mailbox,
    stop: &CancellationToken,
) -> crate::store::Result<()> {
    let store = &app.store;
    loop {
        let now = app.clock.now();
        store.drop_mails(now.plus_seconds(-KEEP_SECONDS)).await?;
        let due = store.mails_due(now, AT_ONCE).await?;
        if due.is_empty() {
            return Ok(());
        }
        for queued in &due {
            if stop.is_cancelled() {
                return Ok(());
            }
            match send(way, from, queued).await {
                Ok(()) => store.mail_sent(&queued.id, app.clock.now()).await?,
                Err(error) => {
                    let error = format!("{error:#}");
                    tracing::warn!(mail = queued.id, error, "an e-mail was not sent");
                    let next = next_try(queued, app.clock.now());
                    store
                        .mail_not_sent(&queued.id, &error, next, app.clock.now())
                        .await?;
                }
            }
        }
    }
}

/// When to try again; never after three days.
fn next_try(queued: &Queued, now: Micros) -> Option<Micros> {
    let doublings = u32::try_from(queued.attempts).unwrap_or(u32::MAX).min(16);
    let pause = FIRST_PAUSE_SECONDS << doublings;
    let next = now.plus_seconds(pause.min(MOST_PAUSE_SECONDS));
    (next < queued.created_at.plus_seconds(GIVE_UP_SECONDS)).then_some(next)
}

/// A message as it goes out; `id` makes its Message-ID.
pub(super) fn letter(from: &Mailbox, id: &str, mail: &Mail) -> anyhow::Result<Message> {
    let body = MultiPart::alternative_plain_html(mail.text.clone(), mail.html.clone());
    let letter = Message::builder()
        .from(from.clone())
        .to(mail.to.parse()?)
        .subject(&mail.subject)
        .message_id(Some(format!("<{id}@{}>", from.email.domain())));
    Ok(letter.multipart(body)?)
}

async fn send(way: &Way, from: &Mailbox, queued: &Queued) -> anyhow::Result<()> {
    let message = letter(from, &queued.id, &queued.mail)?;
    match way {
        Way::Smtp(transport) => {
            transport.send(message).await?;
        }
        Way::Folder(folder) => {
            make_private_dir(folder)?;
            let file = folder.join(format!("{}.eml", queued.id));
            write_file(&file, &message.formatted(), FILE_MODE)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Queued, next_try};
    use crate::mail::Mail;
    use storm_protocol::ident::Micros;

    #[test]
    fn tries_grow_rarer_and_end_after_three_days() {
        let mut queued = Queued {
            id: "x".to_owned(),
            mail: Mail {
                to: String::new(),
                subject: String::new(),
                text: String::new(),
                html: String::new(),
            },
            attempts: 0,
            created_at: Micros(0),
        };
        let mut now = Micros(0);
        let mut pauses = vec![];
        while let Some(next) = next_try(&queued, now) {
            pauses.push((next.0 - now.0) / Micros::SECOND);
            (now, queued.attempts) = (next, queued.attempts + 1);
        }
        assert_eq!(pauses[..3], [60, 120, 240]);
        assert_eq!(pauses.last(), Some(&(6 * 3600)));
        assert!(now < Micros(0).plus_seconds(3 * 24 * 3600));
        assert!(pauses.len() < 30, "{}", pauses.len());
    }
}
