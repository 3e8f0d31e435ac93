//! E-mail. Who has something to say queues it in the database, in the transaction that makes it true;
//! a task sends it, over SMTP or as a file into a folder where no SMTP is configured.

mod message;
mod outbox;
mod trial;
mod words;

pub(crate) use self::{
    message::Mail,
    outbox::run,
    trial::try_out,
    words::{invitation, password_reset},
};
