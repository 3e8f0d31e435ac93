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
    let what = "An operator of Storm Buckets turned your authenticator app off: your password alone is enough to \
                sign in. Your recovery codes are void.";
    sign_in_changed(to, what, NOT_YOU)
}

/// There are new recovery codes.
pub(crate) fn recovery_codes_renewed(to: &str) -> Mail {
    let what = "Your recovery codes for Storm Buckets were made anew; the old ones are void.";
    sign_in_changed(to, what, NOT_YOU)
}
