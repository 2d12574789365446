//! Stand-in.
use async_trait::async_trait;
use bytes::Bytes;
use portcullis_vault::{Entry, Key, Result, Vault, VaultError};
use std::ops::Range;
use std::path::{Path, PathBuf};
pub(crate) struct Folder(PathBuf);
impl Folder {
    pub(crate) async fn open(root: &Path) -> Result<Folder> {
        std::fs::create_dir_all(root).unwrap();
        Ok(Folder(root.to_owned()))
    }
}
fn walk(dir: &Path, root: &Path, out: &mut Vec<(String, u64)>) {
    for e in std::fs::read_dir(dir).unwrap() {
        let p = e.unwrap().path();
        if p.is_dir() {
            walk(&p, root, out)
        } else {
            out.push((p.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), p.metadata().unwrap().len()))
        }
    }
}
#[async_trait]
impl Vault for Folder {
    async fn put(&self, key: &Key, from: &Path) -> Result<()> {
        self.replace(key, from).await
    }
    async fn replace(&self, key: &Key, from: &Path) -> Result<()> {
        let to = self.0.join(key.as_str());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(from, to).unwrap();
        Ok(())
    }
    async fn read(&self, key: &Key, range: Option<Range<u64>>) -> Result<Bytes> {
        let b = std::fs::read(self.0.join(key.as_str())).map_err(|_| VaultError::NotFound(key.clone()))?;
        match range {
            None => Ok(b.into()),
            Some(r) if r.start < r.end && r.end <= b.len() as u64 => {
                Ok(Bytes::from(b).slice(r.start as usize..r.end as usize))
            }
            Some(_) => Err(VaultError::OutOfRange { key: key.clone(), bytes: b.len() as u64 }),
        }
    }
    async fn len(&self, key: &Key) -> Result<Option<u64>> {
        Ok(std::fs::metadata(self.0.join(key.as_str())).ok().map(|m| m.len()))
    }
    async fn list(&self, prefix: &str, after: Option<&Key>, limit: usize) -> Result<Vec<Entry>> {
        let mut v = Vec::new();
        walk(&self.0, &self.0, &mut v);
        v.sort();
        Ok(v.into_iter()
            .filter(|(k, _)| k.starts_with(prefix) && after.is_none_or(|a| k.as_str() > a.as_str()))
            .take(limit)
            .map(|(k, bytes)| Entry { key: Key::new(k).unwrap(), bytes })
            .collect())
    }
}
