//! Slow: `cargo xtask lilith-load`. What a job, a request, a listener and a relayed gigabyte cost.
//! It prints, and only fails if something does not work: figures are those of the machine and of
//! what else it does.

mod site;

use axum::http::Method;
use http_body_util::{BodyExt, Empty};
use hyper_util::rt::TokioIo;
use lilith::relay::Relay;
use nix::sys::resource::{Resource, UsageWho, getrlimit, getrusage, setrlimit};
use nix::sys::time::TimeValLike;
use serde_json::json;
use site::{Customer, Server, quiet, twain};
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const JOBS: usize = 1000;
const LISTENERS: usize = 1000;
/// Commands at a time, here and at the server.
const AT_A_TIME: usize = 2;
const CONNECTIONS: usize = 4;
const ASKING: Duration = Duration::from_secs(5);
const CARRIED: u64 = 1 << 30;
/// A command that does next to nothing.
const TRIVIAL: [&str; 3] = ["table", "-M", "network.onnx"];

/// Resident memory of a process, in MB.
fn memory(server: &Server) -> f64 {
    let status = fs::read_to_string(format!("/proc/{}/status", server.process())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// Processor seconds of a server, its jobs not among them.
fn processor(server: &Server) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{}/stat", server.process())).unwrap();
    let (_, rest) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = rest.split_whitespace().collect();
    // The fourteenth and fifteenth, in hundredths.
    let ticks: f64 = fields[11..13].iter().map(|field| field.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

fn address(server: &Server) -> SocketAddr {
    server.address.strip_prefix("http://").unwrap().parse().unwrap()
}

/// Seconds that the trivial command takes without a server, a job.
fn alone() -> f64 {
    let place = tempfile::tempdir().unwrap();
    let network = site::repository("crates/cli/demo/network.onnx");
    fs::copy(network, place.path().join("network.onnx")).unwrap();
    const RUNS: usize = 100;
    let began = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                for _ in 0..RUNS / AT_A_TIME {
                    let mut command = quiet(twain());
                    command.args(TRIVIAL).current_dir(place.path()).stdout(Stdio::null());
                    assert!(command.stderr(Stdio::null()).status().unwrap().success());
                }
            });
        }
    });
    began.elapsed().as_secs_f64() / RUNS as f64
}

#[test]
#[ignore = "slow: cargo xtask lilith-load"]
fn jobs_requests_and_listeners() {
    // A listener takes a descriptor at either end.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, most, most).unwrap();
    let jobs = AT_A_TIME.to_string();
    let server = Server::start(&["--requests-a-second", "1000000", "--jobs", &jobs]);
    println!("memory of an idle server: {:.1} MB", memory(&server));
    let network = site::repository("crates/cli/demo/network.onnx");
    let network = network.to_str().unwrap();
    server.succeed(&["create-artifact", "-a", "load", "--side", "model", "-m", network]);
    server.succeed(&["project", "limit", "load", r#"{"active_recipes": 2000}"#]);
    let body = json!({ "artifact": "load", "commands": [TRIVIAL.join(" ")] });

    let by_itself = alone();
    let (began, before) = (Instant::now(), processor(&server));
    let ids: Vec<String> = (0..JOBS)
        .map(|_| {
            let (status, answer) = server.json(Method::POST, "/recipe", Some(&body));
            assert_eq!(status, 201, "{answer}");
            answer["id"].as_str().unwrap().to_string()
        })
        .collect();
    let taken = began.elapsed();
    for id in &ids {
        let ended = server.end(id);
        assert_eq!(ended[0]["status"], "Complete", "{ended}");
    }
    let a_job = began.elapsed().as_secs_f64() / JOBS as f64;
    println!(
        "{JOBS} trivial jobs, {AT_A_TIME} at a time: {:.1} ms a job, {:.1} ms of that the command by itself; \
         {:.1} ms of processor in the server; taken in {:.1} s; memory after it {:.1} MB",
        a_job * 1e3,
        by_itself * 1e3,
        (processor(&server) - before) / JOBS as f64 * 1e3,
        taken.as_secs_f64(),
        memory(&server)
    );

    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let (before, began) = (processor(&server), Instant::now());
    let count = runtime.block_on(requests(&server, &ids[0]));
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "GET /recipe/{{id}} over {CONNECTIONS} connections: {:.0} a second, {:.2} ms of processor each",
        count as f64 / seconds,
        (processor(&server) - before) / count as f64 * 1e3
    );

    // A recipe that does not end: its peer does not come.
    let customer = Customer::new();
    server.with_model("credit");
    server.succeed(&["peer", "add", "-a", "credit", "applicant", &customer.fingerprint]);
    let line = "prove --id model --local-addr auto --connect-timeout 600";
    let body = json!({ "artifact": "credit", "commands": [line] });
    let (_, made) = server.json(Method::POST, "/recipe", Some(&body));
    let id = made["id"].as_str().unwrap().to_string();
    let before = memory(&server);
    let listeners = runtime.block_on(listen(&server, &id));
    let (with, busy) = (memory(&server), processor(&server));
    std::thread::sleep(Duration::from_secs(5));
    println!(
        "{LISTENERS} listeners to events: {with:.1} MB, {:.1} kB each, {:.1} % of a core",
        (with - before) * 1024.0 / LISTENERS as f64,
        (processor(&server) - busy) / 5.0 * 100.0
    );
    drop(listeners);
    server.succeed(&["cancel", "-i", &id]);
    server.end(&id);
}

/// Asks for a recipe as often as it goes; how often that is.
async fn requests(server: &Server, id: &str) -> usize {
    let (address, path) = (address(server), format!("/recipe/{id}"));
    let end = Instant::now() + ASKING;
    let asked = (0..CONNECTIONS).map(|_| {
        let (path, token) = (path.clone(), server.token.clone());
        tokio::spawn(async move {
            let stream = TokioIo::new(TcpStream::connect(address).await.unwrap());
            let (mut sender, connection) =
                hyper::client::conn::http1::handshake(stream).await.unwrap();
            tokio::spawn(connection);
            let mut count = 0;
            while Instant::now() < end {
                let request = hyper::Request::get(&path)
                    .header("host", "lilith")
                    .header("x-api-key", &token)
                    .body(Empty::<bytes::Bytes>::new())
                    .unwrap();
                let response = sender.send_request(request).await.unwrap();
                assert_eq!(response.status(), 200);
                response.into_body().collect().await.unwrap();
                count += 1;
            }
            count
        })
    });
    let mut count = 0;
    for one in asked.collect::<Vec<_>>() {
        count += one.await.unwrap();
    }
    count
}

/// Listens to the events of a recipe, many times.
async fn listen(server: &Server, id: &str) -> Vec<TcpStream> {
    let mut listeners = Vec::new();
    let (address, token) = (address(server), &server.token);
    for _ in 0..LISTENERS {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!(
            "GET /recipe/{id}/events HTTP/1.1\r\nhost: lilith\r\nx-api-key: {token}\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut start = [0; 15];
        stream.read_exact(&mut start).await.unwrap();
        assert_eq!(&start, b"HTTP/1.1 200 OK");
        listeners.push(stream);
    }
    listeners
}

/// Seconds, and processor seconds of this process, that bytes take from one end to the other.
async fn carry(to: SocketAddr, at: TcpListener) -> (f64, f64) {
    let used = || {
        let usage = getrusage(UsageWho::RUSAGE_SELF).unwrap();
        let times = [usage.user_time(), usage.system_time()];
        times.map(|time| time.num_microseconds()).iter().sum::<i64>() as f64 / 1e6
    };
    let (began, before) = (Instant::now(), used());
    let sender = tokio::spawn(async move {
        let mut stream = TcpStream::connect(to).await.unwrap();
        let piece = vec![7; 1 << 16];
        for _ in 0..CARRIED / piece.len() as u64 {
            stream.write_all(&piece).await.unwrap();
        }
    });
    let (mut stream, _) = at.accept().await.unwrap();
    let (mut piece, mut received) = (vec![0; 1 << 16], 0);
    while received < CARRIED {
        received += stream.read(&mut piece).await.unwrap() as u64;
    }
    sender.await.unwrap();
    (began.elapsed().as_secs_f64(), used() - before)
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "slow: cargo xtask lilith-load"]
async fn a_relayed_gigabyte() {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let listener = || TcpListener::bind((here, 0));
    let (job, port) = (listener().await.unwrap(), site::free_port());
    let (direct, direct_processor) = carry(job.local_addr().unwrap(), job).await;
    let relay = Relay::new(here);
    relay.open(port).unwrap();
    let job = listener().await.unwrap();
    relay.aim(port, job.local_addr().ok());
    let (relayed, relayed_processor) = carry(SocketAddr::new(here, port), job).await;
    println!(
        "1 GiB over loopback: {direct:.2} s direct, {relayed:.2} s through the relay, which takes {:.2} s \
         of processor ({relayed_processor:.2} s with both ends, {direct_processor:.2} s without it)",
        relayed_processor - direct_processor
    );
}
