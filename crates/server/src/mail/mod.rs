//! E-mail. Who has something to say queues it in the database, in the transaction that makes it true;
//! a task sends it, over SMTP or as a file into a folder where no SMTP is configured.

mod message;
mod outbox;
mod sign_in;
mod trial;
mod words;

pub(crate) use self::{
    message::Mail,
    outbox::run,
    sign_in::{
        passkey_added, passkey_copied, passkey_removed, password_removed, recovery_codes_renewed,
        second_factor_off, second_factor_on, second_factor_reset,
    },
    trial::try_out,
    words::{account_closed, account_closing, invitation, known_already, password_reset, sign_up},
};
