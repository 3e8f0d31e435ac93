//! Who may change the schema. On PostgreSQL the roles sign in as others than the tables' owner, who alone runs
//! migrations, and may do what `roles/roles.sql` grants them.

use sqlx::{Acquire as _, Row as _};

use super::{
    Place, Result, Store, StoreError,
    open::connect_server,
    sql::{Connection, is_postgres},
};
use crate::roles::GRANTS;

/// What somebody is told who may not.
const ASK_THE_OWNER: &str = "it is not set up for this version, and whoever this process signs in as may not do it: \
     run `storm-buckets db migrate` as the owner of its tables";
/// What somebody is told whom nothing was granted.
const NOTHING_GRANTED: &str = "whoever this process signs in as may not read it: run what `storm-buckets db roles` \
     prints, and make that login a member of storm_web, storm_signer or storm_hub";

impl Place {
    /// Refuses whoever may not make or change tables here.
    pub(crate) async fn require_owner(&self) -> Result<()> {
        match self {
            Self::File(_) => Ok(()),
            Self::Server(url) => {
                require_owner(&mut *connect_server(url).await?.acquire().await?).await
            }
        }
    }
}

/// Refuses whoever may not make or change tables.
pub(super) async fn require_owner(connection: &mut Connection) -> Result<()> {
    const MAY: &str = "SELECT CASE WHEN COALESCE(pg_has_role((SELECT relowner FROM pg_class \
           WHERE oid = to_regclass('_sqlx_migrations')), 'USAGE'), \
         has_schema_privilege(current_schema(), 'CREATE')) THEN 1 ELSE 0 END::BIGINT";
    if asked(connection, MAY).await? {
        return Ok(());
    }
    Err(StoreError::Unsuitable(ASK_THE_OWNER))
}

/// Refuses whoever may read nothing.
pub(super) async fn require_grants(connection: &mut Connection) -> Result<()> {
    const MAY: &str = "SELECT CASE WHEN COALESCE(has_table_privilege(to_regclass('_sqlx_migrations'), 'SELECT'), TRUE) \
         THEN 1 ELSE 0 END::BIGINT";
    if asked(connection, MAY).await? {
        return Ok(());
    }
    Err(StoreError::Unsuitable(NOTHING_GRANTED))
}

/// Puts the roles' grants in force again where they were, for tables that came since.
pub(super) async fn renew_grants(connection: &mut Connection) -> Result<bool> {
    const IN_FORCE: &str = "SELECT COUNT(*) FROM pg_roles WHERE rolname = 'storm_web' \
         AND has_table_privilege(oid, to_regclass('_sqlx_migrations'), 'SELECT')";
    if !asked(connection, IN_FORCE).await? {
        return Ok(false);
    }
    let mut transaction = connection.begin().await?;
    sqlx::raw_sql(GRANTS).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

async fn asked(connection: &mut Connection, question: &'static str) -> Result<bool> {
    let row = sqlx::query(question).fetch_one(connection).await?;
    Ok(row.try_get::<i64, _>(0)? != 0)
}

impl Store {
    /// Puts the roles' grants in force again where they were. `false`: they never were.
    pub(crate) async fn renew_grants(&self) -> Result<bool> {
        let mut connection = self.read().await?;
        if !is_postgres(&connection) {
            return Ok(false);
        }
        renew_grants(&mut connection).await
    }
}
