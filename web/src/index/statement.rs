//! A statement that is put together: its text and the values of its parameters, for either database.

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Int(i64),
    Text(String),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.to_owned())
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Value::Text(value.clone())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value)
    }
}

/// INVARIANT: the text is made of words of this program alone; what comes from outside is a value.
#[derive(Debug, Default)]
pub(super) struct Statement {
    pub(super) text: String,
    pub(super) values: Vec<Value>,
}

impl Statement {
    pub(super) fn new(text: &str) -> Self {
        Statement { text: text.to_owned(), values: Vec::new() }
    }

    /// Appends words of SQL.
    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Appends a parameter.
    pub(super) fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push_str(&format!("${}", self.values.len()));
        self
    }

    /// Appends parameters with commas between.
    pub(super) fn list<T: Into<Value>>(&mut self, values: impl IntoIterator<Item = T>) -> &mut Self {
        for (n, value) in values.into_iter().enumerate() {
            self.push(if n == 0 { "" } else { ", " }).bind(value);
        }
        self
    }
}

/// Evaluates with `$pool` as the pool of whichever database it is, and `$dialect` as its module: one text, compiled for both.
macro_rules! either {
    ($index:expr, $pool:ident => $body:expr) => {
        match &$index.database {
            $crate::index::Opened::Sqlite($pool) => $body,
            $crate::index::Opened::Postgres($pool) => $body,
        }
    };
    ($index:expr, $pool:ident, $dialect:ident => $body:expr) => {
        match &$index.database {
            $crate::index::Opened::Sqlite($pool) => {
                use $crate::index::sqlite as $dialect;
                $body
            }
            $crate::index::Opened::Postgres($pool) => {
                use $crate::index::postgres as $dialect;
                $body
            }
        }
    };
}

/// Gives a query the values of its parameters.
macro_rules! bound {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                $crate::index::statement::Value::Int(value) => query.bind(value),
                $crate::index::statement::Value::Text(value) => query.bind(value),
            };
        }
        query
    }};
}

pub(super) use {bound, either};
