//! `get-srs` as a download: what a user sees of a server that has another file, or none.

mod processes;

use processes::run;
use std::io::{Read, Write};
use std::net::TcpListener;

#[test]
fn a_mirror_with_another_file() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror = format!("http://{}/ptau/", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; 4096];
        let length = stream.read(&mut request).unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong").unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let folder = tempfile::tempdir().unwrap();
    let flags = ["--log-format", "json", "get-srs", "--srs-path", "kzg.srs", "--url", &mirror];
    let output = run(folder.path(), &[&flags[..], &["--logrows", "10"]].concat());
    assert!(server.join().unwrap().starts_with("GET /ptau/powersOfTau28_hez_final_10.ptau "));
    assert_eq!(output.status.code(), Some(3));
    let lines = String::from_utf8(output.stderr).unwrap();
    let (progress, error) = lines.trim_end().split_once('\n').unwrap();
    assert!(progress.starts_with(r#"{"event":"download","done":0,"of":5}"#), "{progress}");
    let error = error.lines().last().unwrap();
    assert!(error.contains(r#""code":"file""#) && error.contains("digest"), "{error}");
    assert!(!folder.path().join("kzg.srs").exists());
}

#[test]
fn either_a_file_or_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let both = ["get-srs", "--logrows", "8", "--from", "a.ptau", "--url", "http://127.0.0.1:9/"];
    assert_eq!(run(folder.path(), &both).status.code(), Some(2));
    assert_eq!(run(folder.path(), &["get-srs", "--logrows", "29"]).status.code(), Some(2));
}
