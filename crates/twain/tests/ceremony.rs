//! `get-srs` as a download: the powers of a file that is known by its digest, checked and kept.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use twain::ceremony::CeremonyFile;
use twain::observe::{Cancel, Event, Observer, Run};
use twain::{Error, Fault, alone};

/// What a session told.
#[derive(Default)]
struct Diary(Mutex<Vec<Event>>);

impl Observer for Diary {
    fn event(&self, event: &Event) {
        self.0.lock().unwrap().push(event.clone());
    }
}

fn powers() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/srs/powers-8.ptau")
}

/// A server that has one file, to be asked for once: its address.
fn serve(content: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/a.ptau", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = [0; 4096];
        assert!(stream.read(&mut request).unwrap() > 0);
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(&content).unwrap();
    });
    url
}

fn file(content: &[u8]) -> CeremonyFile {
    let digest = *blake2b_simd::blake2b(content).as_array();
    CeremonyFile { power: 8, name: "a.ptau".into(), digest }
}

#[test]
fn powers_are_downloaded_checked_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let (to, other) = (folder.path().join("srs/kzg7.srs"), folder.path().join("other.srs"));
    let content = fs::read(powers()).unwrap();
    let diary = Arc::new(Diary::default());
    let run = Run::new(diary.clone(), Cancel::default());
    let url = serve(content.clone());
    let told = alone::download_srs_file(&file(&content), Some(&url), &to, 7, &run).unwrap();
    assert!(told.contains("2^7 powers of one secret"), "{told}");
    alone::import_srs(&powers(), Some(other.clone()), Path::new(""), Some(7), &Run::silent())
        .unwrap();
    assert!(fs::read(&to).unwrap() == fs::read(other).unwrap());
    let names: Vec<_> = fs::read_dir(to.parent().unwrap()).unwrap().collect();
    assert_eq!(names.len(), 1, "nothing else is kept");
    let size = content.len() as u64;
    let whole = Event::Downloaded { done: size, of: size };
    assert_eq!(diary.0.lock().unwrap().last(), Some(&whole));
}

#[test]
fn powers_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("kzg8.srs");
    let download = |content: Vec<u8>, file: &CeremonyFile| -> Error {
        let url = serve(content);
        alone::download_srs_file(file, Some(&url), &to, 8, &Run::silent()).unwrap_err()
    };
    let content = fs::read(powers()).unwrap();
    // Another file than the one wanted.
    let error = download(content.clone(), &file(b"another file"));
    assert_eq!(error.fault(), Fault::File);
    assert!(error.to_string().contains("digest"), "{error}");
    // The file wanted, but its second and third power are exchanged: it has the points' bytes at
    // 64 times their position, behind three heads of 12 bytes and 44 bytes of the first section.
    let mut wrong = content.clone();
    let first = 12 + 12 + 44 + 12;
    wrong[first + 64..first + 192].rotate_left(64);
    let error = download(wrong.clone(), &file(&wrong));
    assert!(error.to_string().contains("not the powers of one secret"), "{error}");
    assert!(!to.exists());
}
