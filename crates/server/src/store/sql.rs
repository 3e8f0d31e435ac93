//! What queries are made of, on either database. Each text is written once: `$1` parameters, BIGINT for
//! booleans, texts compared byte by byte.

use sqlx::{
    Any, AssertSqlSafe, Encode, FromRow, Type,
    any::AnyArguments,
    query::{Query, QueryAs},
};

use super::Result;

/// A connection to either database.
pub(crate) type Connection = sqlx::AnyConnection;
/// A row of either database.
pub(crate) type Record = sqlx::any::AnyRow;
/// A view of one instant, over several queries.
pub(super) type View<'a> = sqlx::Transaction<'a, Any>;

/// The name that sqlx gives to PostgreSQL.
const POSTGRES: &str = "PostgreSQL";

/// Whether a text has to be PostgreSQL's, where the two have no words in common.
pub(crate) fn is_postgres(connection: &Connection) -> bool {
    connection.backend_name() == POSTGRES
}

/// Begins to look at the database as it is at this instant.
pub(crate) async fn view(connection: &mut Connection) -> Result<View<'_>> {
    use sqlx::Connection as _;
    let begin = if is_postgres(connection) {
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    } else {
        "BEGIN"
    };
    Ok(connection.begin_with(begin).await?)
}

/// A text with as many parameters as there are values. (That of sqlx names no parameters on
/// [`Any`], which PostgreSQL needs.)
pub(crate) struct Builder {
    sql: String,
    arguments: AnyArguments,
    bound: usize,
    numbered: bool,
}

impl Builder {
    pub(crate) fn new(sql: impl Into<String>) -> Self {
        Self {
            sql: sql.into(),
            arguments: AnyArguments::default(),
            bound: 0,
            numbered: true,
        }
    }

    /// One with thousands of values, all added here and each used once. SQLite looks through all names of
    /// parameters for each of them, and does not where they have none.
    pub(crate) fn on(connection: &Connection, sql: impl Into<String>) -> Self {
        Self {
            numbered: is_postgres(connection),
            ..Self::new(sql)
        }
    }

    /// Adds a piece of text, never of a value.
    pub(crate) fn push(&mut self, sql: impl AsRef<str>) -> &mut Self {
        self.sql.push_str(sql.as_ref());
        self
    }

    /// Adds a value.
    pub(crate) fn push_bind<'v>(&mut self, value: impl Encode<'v, Any> + Type<Any>) -> &mut Self {
        use sqlx::Arguments as _;
        // Numbers, texts and bytes always can be; whatever else could not would lack below and be
        // refused by the database.
        let _ = self.arguments.add(value);
        self.bound += 1;
        if self.numbered {
            self.sql.push('$');
            self.sql.push_str(&self.bound.to_string());
        } else {
            self.sql.push('?');
        }
        self
    }

    /// Values with `between` between them.
    pub(crate) const fn separated(&mut self, between: &'static str) -> Separated<'_> {
        Separated {
            builder: self,
            between,
            first: true,
        }
    }

    /// `VALUES (…), (…)`, a pair of parentheses for each of `rows`.
    pub(crate) fn push_values<T>(
        &mut self,
        rows: impl IntoIterator<Item = T>,
        mut push: impl FnMut(Separated<'_>, T),
    ) -> &mut Self {
        self.push(" VALUES ");
        for (at, row) in rows.into_iter().enumerate() {
            self.push(if at == 0 { "(" } else { ", (" });
            push(self.separated(", "), row);
            self.push(")");
        }
        self
    }

    /// The query, of rows that are read into `T`.
    pub(crate) fn build_as<T: for<'r> FromRow<'r, Record>>(
        self,
    ) -> QueryAs<'static, Any, T, AnyArguments> {
        sqlx::query_as_with(AssertSqlSafe(self.sql), self.arguments).persistent(false)
    }

    /// The query. It is not kept prepared: the next text is probably another.
    pub(crate) fn build(self) -> Query<'static, Any, AnyArguments> {
        sqlx::query_with(AssertSqlSafe(self.sql), self.arguments).persistent(false)
    }
}

/// Pieces with something between them.
pub(crate) struct Separated<'b> {
    builder: &'b mut Builder,
    between: &'static str,
    first: bool,
}

impl Separated<'_> {
    fn part(&mut self) -> &mut Builder {
        if !std::mem::take(&mut self.first) {
            self.builder.push(self.between);
        }
        self.builder
    }

    /// Adds a piece of text, never of a value.
    pub(crate) fn push(&mut self, sql: impl AsRef<str>) -> &mut Self {
        self.part().push(sql);
        self
    }

    /// Goes on with the piece before.
    pub(crate) fn push_unseparated(&mut self, sql: impl AsRef<str>) -> &mut Self {
        self.builder.push(sql);
        self
    }

    /// Adds a value.
    pub(crate) fn push_bind<'v>(&mut self, value: impl Encode<'v, Any> + Type<Any>) -> &mut Self {
        self.part().push_bind(value);
        self
    }

    /// Goes on with the piece before, by a value.
    pub(crate) fn push_bind_unseparated<'v>(
        &mut self,
        value: impl Encode<'v, Any> + Type<Any>,
    ) -> &mut Self {
        self.builder.push_bind(value);
        self
    }
}
