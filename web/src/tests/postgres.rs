//! A place of its own in a real PostgreSQL, which `scripts/postgres.sh` starts where it does not run.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use sqlx::{Connection, PgConnection};

use crate::index::Postgres;

/// A schema that nothing is in yet. It goes when the server stops, which has nothing else.
pub(crate) async fn fresh() -> Postgres {
    let url = tokio::task::spawn_blocking(url).await.unwrap();
    let schema = format!("t_{:016x}", rand::random::<u64>());
    let mut connection = PgConnection::connect(url).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(format!("CREATE SCHEMA {schema}"))).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    Postgres { url: format!("{url}&options=-c%20search_path%3D{schema}"), password: None }
}

fn url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/postgres.sh");
        let said = Command::new(script).arg("start").stdin(Stdio::null()).stderr(Stdio::inherit()).output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        said.trim().strip_prefix("POSTGRES_URL=").unwrap_or_else(|| panic!("postgres.sh says {said:?}")).to_owned()
    })
}
