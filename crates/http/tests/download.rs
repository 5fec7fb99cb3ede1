//! Downloads from servers that break, lie or know no ranges.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use twain_http::Patience;
use twain_http::download::{DownloadError, Persistence, Progress, Wanted, download};

/// The file all servers have.
fn content() -> Vec<u8> {
    (0..300_000u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// A server on this machine: the answer to the `i`-th request, which may start from a byte.
struct Server {
    url: String,
    /// First byte asked for, of each request.
    requests: Arc<Mutex<Vec<Option<u64>>>>,
}

impl Server {
    fn start(mut answer: impl FnMut(usize, Option<u64>, &mut TcpStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/powers.ptau", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = requests.clone();
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                let mut stream = stream.unwrap();
                let mut from = None;
                for line in BufReader::new(&stream).lines() {
                    let line = line.unwrap().to_ascii_lowercase();
                    if let Some(range) = line.strip_prefix("range: bytes=") {
                        from = Some(range.trim_end_matches('-').parse().unwrap());
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                seen.lock().unwrap().push(from);
                answer(index, from, &mut stream);
            }
        });
        Self { url, requests }
    }

    fn requests(&self) -> Vec<Option<u64>> {
        self.requests.lock().unwrap().clone()
    }
}

/// Sends a head and a body. The client may have hung up, which is its right.
fn send(stream: &mut TcpStream, head: &str, body: &[u8]) {
    let head = format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n");
    let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
}

/// As servers should: the rest of the file, of which `most` bytes arrive.
fn send_rest(stream: &mut TcpStream, from: Option<u64>, most: usize) {
    let (all, first) = (content(), from.unwrap_or(0) as usize);
    let (length, rest) = (all.len(), &all[first.min(all.len())..]);
    let head = match from {
        None => format!("200 OK\r\nContent-Length: {length}"),
        Some(_) if rest.is_empty() => {
            format!("416 Range Not Satisfiable\r\nContent-Range: bytes */{length}")
        }
        Some(_) => format!(
            "206 Partial Content\r\nContent-Length: {}\r\nContent-Range: bytes {first}-{}/{length}",
            rest.len(),
            length - 1
        ),
    };
    send(stream, &head, &rest[..most.min(rest.len())]);
}

fn digest(bytes: &[u8]) -> [u8; 64] {
    *blake2b_simd::blake2b(bytes).as_array()
}

fn persistence() -> Persistence {
    let second = Duration::from_secs(1);
    let patience = Patience { connect: second, silence: second };
    Persistence { patience, attempts: 3, pause: Duration::from_millis(1) }
}

/// Downloads what has the digest of [`content`].
fn fetch(url: &str, path: &Path) -> Result<(), DownloadError> {
    let wanted = Wanted { url, digest: &digest(&content()), limit: 400_000 };
    download(&wanted, path, &persistence(), &mut |_| ControlFlow::Continue(()))
}

/// A folder, and the path of the file in it.
fn place() -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("powers.ptau.part");
    (folder, path)
}

#[test]
fn a_whole_file_and_how_far_it_is() {
    let server = Server::start(|_, from, stream| send_rest(stream, from, usize::MAX));
    let (_folder, path) = place();
    let mut heard = Vec::new();
    let wanted = Wanted { url: &server.url, digest: &digest(&content()), limit: 400_000 };
    download(&wanted, &path, &persistence(), &mut |progress| {
        heard.push(progress);
        ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    assert_eq!(heard[0], Progress { done: 0, of: Some(300_000) });
    assert!(heard.is_sorted_by_key(|progress| progress.done));
    assert_eq!(heard.last().unwrap().done, 300_000);
    // It is there: nothing is sent again.
    fetch(&server.url, &path).unwrap();
    assert_eq!(server.requests(), [None, Some(300_000)]);
}

#[test]
fn broken_connections_go_on_where_they_broke() {
    let server = Server::start(|_, from, stream| send_rest(stream, from, 70_000));
    let (_folder, path) = place();
    fetch(&server.url, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    let starts = [None, Some(70_000), Some(140_000), Some(210_000), Some(280_000)];
    assert_eq!(server.requests(), starts);
}

#[test]
fn what_arrived_before_an_error_is_kept_for_the_next_run() {
    // The second run finds the server well again.
    let server = Server::start(|index, from, stream| match index {
        0 => send_rest(stream, from, 100_000),
        1..=3 => send(stream, "503 Service Unavailable\r\nContent-Length: 0", b""),
        _ => send_rest(stream, from, usize::MAX),
    });
    let (_folder, path) = place();
    let error = fetch(&server.url, &path).unwrap_err();
    assert!(matches!(error, DownloadError::Connection { kept: 100_000, .. }), "{error}");
    assert!(error.to_string().contains("503") && error.to_string().contains("goes on from there"));
    fetch(&server.url, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    assert_eq!(server.requests()[4], Some(100_000));
}

#[test]
fn a_silent_server_is_left() {
    let server = Server::start(|index, from, stream| {
        send_rest(stream, from, if index == 0 { 50_000 } else { usize::MAX });
        if index == 0 {
            // The connection stays open, and nothing comes.
            std::mem::forget(stream.try_clone().unwrap());
        }
    });
    let (_folder, path) = place();
    fetch(&server.url, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    assert_eq!(server.requests(), [None, Some(50_000)]);
}

#[test]
fn nobody_there() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let (_folder, path) = place();
    let error = fetch(&format!("http://{free}/powers.ptau"), &path).unwrap_err();
    assert!(matches!(error, DownloadError::Connection { kept: 0, .. }), "{error}");
    let error = fetch("no address", &path).unwrap_err();
    assert!(matches!(error, DownloadError::Status { .. }), "{error}");
}

#[test]
fn a_server_that_ignores_ranges_begins_anew() {
    let server = Server::start(|index, _, stream| {
        send_rest(stream, None, if index == 0 { 90_000 } else { usize::MAX });
    });
    let (_folder, path) = place();
    fetch(&server.url, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    assert_eq!(server.requests(), [None, Some(90_000)]);
}

#[test]
fn a_server_that_sends_another_range_is_asked_for_all() {
    let server = Server::start(|index, from, stream| match index {
        0 => send_rest(stream, from, 90_000),
        1 => send_rest(stream, Some(80_000), usize::MAX),
        _ => send_rest(stream, from, usize::MAX),
    });
    let (_folder, path) = place();
    fetch(&server.url, &path).unwrap();
    assert_eq!(fs::read(&path).unwrap(), content());
    assert_eq!(server.requests(), [None, Some(90_000), None]);
}

#[test]
fn a_wrong_file_is_not_kept() {
    let server = Server::start(|_, _, stream| {
        let mut wrong = content();
        wrong[123_456] ^= 1;
        send(stream, "200 OK\r\nContent-Length: 300000", &wrong);
    });
    let (_folder, path) = place();
    let error = fetch(&server.url, &path).unwrap_err();
    assert!(matches!(error, DownloadError::Content { .. }), "{error}");
    assert_eq!(fs::metadata(&path).unwrap().len(), 0);
}

#[test]
fn the_beginning_of_another_file_is_thrown_away() {
    let server = Server::start(|_, from, stream| send_rest(stream, from, usize::MAX));
    let (_folder, path) = place();
    for length in [10_000, 300_000, 350_000] {
        fs::write(&path, vec![7; length]).unwrap();
        fetch(&server.url, &path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), content());
    }
    let starts = [Some(10_000), None, Some(300_000), None, Some(350_000), None];
    assert_eq!(server.requests(), starts);
}

#[test]
fn a_body_without_end_is_not_read_to_it() {
    // Said so in its head, which is enough; or not, and then only as far as the limit.
    let server = Server::start(|index, _, stream| {
        let length = if index == 0 { "Content-Length: 9000000000" } else { "X-Length: none" };
        send(stream, &format!("200 OK\r\n{length}"), &content());
        while index > 0 && stream.write_all(&[0; 10_000]).is_ok() {}
    });
    let (_folder, path) = place();
    for _ in 0..2 {
        let error = fetch(&server.url, &path).unwrap_err();
        assert!(error.to_string().contains("longer"), "{error}");
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    }
    assert_eq!(server.requests(), [None, None]);
}

#[test]
fn what_a_server_refuses_is_not_asked_for_again() {
    let server = Server::start(|_, _, stream| {
        send(stream, "404 Not Found\r\nContent-Length: 0", b"");
    });
    let (_folder, path) = place();
    fs::write(&path, &content()[..1000]).unwrap();
    let error = fetch(&server.url, &path).unwrap_err();
    assert!(matches!(&error, DownloadError::Status { status, .. } if status.contains("404")));
    assert_eq!(fs::metadata(&path).unwrap().len(), 1000, "another address may have the rest");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn one_process_at_a_time_and_an_end_on_demand() {
    let server = Server::start(|_, from, stream| send_rest(stream, from, usize::MAX));
    let (_folder, path) = place();
    let wanted = Wanted { url: &server.url, digest: &digest(&content()), limit: 400_000 };
    let mut second = None;
    let error = download(&wanted, &path, &persistence(), &mut |progress| {
        if progress.done < 100_000 {
            return ControlFlow::Continue(());
        }
        second = Some(fetch(&server.url, &path).unwrap_err());
        ControlFlow::Break(())
    });
    assert!(matches!(error, Err(DownloadError::Cancelled)));
    assert!(matches!(second, Some(DownloadError::Busy(_))));
    let kept = fs::metadata(&path).unwrap().len();
    assert!((100_000..300_000).contains(&kept));
    fetch(&server.url, &path).unwrap();
    assert_eq!(server.requests(), [None, Some(kept)]);
}
