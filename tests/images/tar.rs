//! A tar archive (ustar) whose bytes depend on nothing but names, modes and contents: sorted, owned by root, from 1970.

use std::collections::{BTreeMap, BTreeSet};

const BLOCK: usize = 512;
/// Longer names would need a second field or an extension; no image of ours has one.
const LONGEST_NAME: usize = 100;

/// Files by their path, without a leading slash. The folders above them are made.
#[derive(Default)]
pub(crate) struct Tar {
    files: BTreeMap<String, (u32, Vec<u8>)>,
}

impl Tar {
    pub(crate) fn file(&mut self, path: &str, mode: u32, content: &[u8]) {
        self.files.insert(path.to_owned(), (mode, content.to_owned()));
    }

    pub(crate) fn finish(&self) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        for folder in self.folders() {
            bytes.extend(header(&format!("{folder}/"), 0o755, 0, b'5')?);
        }
        for (path, (mode, content)) in &self.files {
            bytes.extend(header(path, *mode, content.len(), b'0')?);
            bytes.extend_from_slice(content);
            bytes.resize(bytes.len().next_multiple_of(BLOCK), 0);
        }
        bytes.resize(bytes.len() + 2 * BLOCK, 0);
        Ok(bytes)
    }

    fn folders(&self) -> BTreeSet<&str> {
        let above = |path: &'_ str| path.match_indices('/').map(|(at, _)| at).collect::<Vec<_>>();
        self.files
            .keys()
            .flat_map(|path| above(path).into_iter().map(move |at| &path[..at]))
            .collect()
    }
}

fn header(path: &str, mode: u32, size: usize, kind: u8) -> Result<[u8; BLOCK], String> {
    if path.len() > LONGEST_NAME {
        return Err(format!(
            "{path} is longer than the {LONGEST_NAME} bytes that a tar header holds"
        ));
    }
    let mut header = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, path.as_bytes());
    put(100, format!("{mode:07o}\0").as_bytes());
    put(108, b"0000000\0"); // uid
    put(116, b"0000000\0"); // gid
    put(124, format!("{size:011o}\0").as_bytes());
    put(136, b"00000000000\0"); // mtime
    put(148, b"        "); // the checksum, counted as spaces
    put(156, &[kind]);
    put(257, b"ustar\x0000");
    let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Ok(header)
}
