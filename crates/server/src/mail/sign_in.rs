//! What people are told of changes of how they sign in.

use super::{Mail, words::sign_in_changed};

/// What to do about a change that one did not make.
const NOT_YOU: &str = "If this was not you, set another password at once, end your other sessions, and ask \
                       whoever runs the service.";

/// An authenticator app is needed from now on.
pub(crate) fn second_factor_on(to: &str) -> Mail {
    let what =
        "From now on a code of your authenticator app is needed to sign in to Storm Buckets.";
    sign_in_changed(to, what, NOT_YOU)
}

/// None is needed any more.
pub(crate) fn second_factor_off(to: &str) -> Mail {
    let what = "Your authenticator app was turned off: your password alone is enough to sign in to Storm Buckets. \
                Your recovery codes are void.";
    sign_in_changed(to, what, NOT_YOU)
}

/// An operator took it away on the server.
pub(crate) fn second_factor_reset(to: &str) -> Mail {
    let what = "An operator of Storm Buckets took away your authenticator app, its recovery codes and your passkeys: \
                your password alone is enough to sign in.";
    sign_in_changed(to, what, NOT_YOU)
}

/// There is another passkey.
pub(crate) fn passkey_added(to: &str, name: &str) -> Mail {
    let what = format!(
        "A passkey was added, called \"{name}\". It signs in to Storm Buckets without your password."
    );
    let undo = "If this was not you, delete it at once under Settings, set another password, end your other \
                sessions, and ask whoever runs the service.";
    sign_in_changed(to, &what, undo)
}

/// One is gone.
pub(crate) fn passkey_removed(to: &str, name: &str) -> Mail {
    let what = format!(
        "The passkey called \"{name}\" was deleted. It no longer signs in to Storm Buckets, and sessions that \
         were begun with it have ended."
    );
    sign_in_changed(to, &what, NOT_YOU)
}

/// Passkeys are the only way in.
pub(crate) fn password_removed(to: &str) -> Mail {
    let what = "Your password was removed: you sign in to Storm Buckets with passkeys alone from now on. A link by \
                e-mail sets a new password, should you lose them.";
    sign_in_changed(to, what, NOT_YOU)
}

/// One was used that seems to be a copy.
pub(crate) fn passkey_copied(to: &str, name: &str) -> Mail {
    let what = format!(
        "A sign-in with the passkey called \"{name}\" was refused: it has counted backwards, as a copy of it \
         would. Nobody was let in."
    );
    let undo = "If you did not try to sign in just now, somebody may have copied it. Delete it under Settings and \
                make another one.";
    sign_in_changed(to, &what, undo)
}

/// There are new recovery codes.
pub(crate) fn recovery_codes_renewed(to: &str) -> Mail {
    let what = "Your recovery codes for Storm Buckets were made anew; the old ones are void.";
    sign_in_changed(to, what, NOT_YOU)
}
