//! `storm whoami`.

use anyhow::Result;
use storm_protocol::api::{Role, Whoami};

use crate::{output, session::Context};

/// Shows who is signed in, and where.
pub(crate) async fn run(context: &Context) -> Result<()> {
    let session = context.session()?;
    let me: Whoami = session.api.get("/whoami").await?;
    session.show(&me, || {
        output::facts(&[
            ("E-mail", me.email.clone()),
            ("Account", format!("{} ({})", me.account_name, me.account)),
            ("Role", role(me.role).to_owned()),
            ("Operator", output::yes_no(me.operator)),
            ("User id", me.user.to_string()),
            ("Server", session.api.base().to_string()),
            ("Root key", session.config.root_key.to_string()),
        ])
    })
}

/// A role, for people.
pub(crate) const fn role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}
