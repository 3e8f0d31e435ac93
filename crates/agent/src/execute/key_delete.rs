//! `key.delete`: DeleteKey, again until it is answered; gone is done.

use storm_protocol::{command::KeyDelete, result::KeyDeleted};

use super::{Stop, new_key};
use crate::{
    engine::Run,
    garage::AdminRequest,
    journal::{Owned, OwnerChange},
};

pub(super) async fn execute(run: &mut Run, p: &KeyDelete) -> Result<KeyDeleted, Stop> {
    let answer = run.change(AdminRequest::delete_key(&p.key)).await?;
    match answer.result {
        Ok(_) => {}
        Err(no) if no.is("NoSuchAccessKey") && (answer.repeated || run.may_be_begun()) => {
            new_key::see_gone(run, &p.key).await?;
        }
        Err(no) => return Err(Stop::from(&no)),
    }
    run.owners
        .push(OwnerChange::Gone(Owned::Key(p.key.clone())));
    Ok(KeyDeleted { key: p.key.clone() })
}
