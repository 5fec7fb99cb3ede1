//! A Slurm of two nodes on this machine: a controller, and for each node a daemon in a namespace of
//! the network, with an address of its own on a bridge. Everything is in one folder, and all of it
//! ends when the value is dropped.

use crate::error::Error;
use crate::process::run;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const BRIDGE: &str = "twain0";
/// The controller's address, and where jobs find the server.
const HOST: &str = "10.77.0.1";
/// Nodes and their addresses.
const NODES: [(&str, &str); 2] = [("n1", "10.77.0.11"), ("n2", "10.77.0.12")];
/// How long all may take to be there.
const PATIENCE: Duration = Duration::from_secs(60);

/// The cluster.
pub struct Cluster {
    folder: PathBuf,
    daemons: Vec<Child>,
}

/// Runs a line without quotes in it.
fn line(text: &str) -> Result<String, Error> {
    let mut words = text.split_whitespace();
    let mut command = Command::new(words.next().unwrap_or_default());
    run(text, command.args(words)).map(|output| output.stdout)
}

fn namespace(node: &str) -> String {
    format!("twain-{node}")
}

impl Cluster {
    /// Starts it, with its files in a folder, which is emptied.
    pub fn start(folder: &Path) -> Result<Self, Error> {
        let mut cluster = Self { folder: folder.to_path_buf(), daemons: Vec::new() };
        // What an earlier one left that was killed.
        cluster.remove_network();
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(Error::file(folder))?;
        }
        cluster.make_folders()?;
        cluster.make_network()?;
        start_munge()?;
        cluster.start_daemons()?;
        cluster.wait()?;
        Ok(cluster)
    }

    /// What programs of Slurm, and the tests, have to know of it.
    pub fn environment(&self) -> [(&'static str, PathBuf); 3] {
        [
            ("SLURM_CONF", self.folder.join("slurm.conf")),
            ("TWAIN_SLURM", self.folder.clone()),
            ("TWAIN_SLURM_HOST", HOST.into()),
        ]
    }

    fn make_folders(&self) -> Result<(), Error> {
        let at = |name: &str| self.folder.join(name);
        for name in ["controller", "n1", "n2"] {
            fs::create_dir_all(at(name)).map_err(Error::file(at(name)))?;
        }
        let conf = at("slurm.conf");
        fs::write(&conf, self.settings()?).map_err(Error::file(&conf))?;
        // The controller gives root up.
        let mut give = Command::new("chown");
        give.args(["slurm", "--"]).arg(&self.folder).arg(at("controller"));
        run("chown", &mut give).map(drop)
    }

    fn settings(&self) -> Result<String, Error> {
        let path = "/proc/sys/kernel/hostname";
        let name = fs::read_to_string(path).map_err(Error::file(path))?;
        let name = name.trim().split('.').next().unwrap_or_default();
        let folder = self.folder.display();
        let nodes: String = NODES
            .map(|(node, address)| {
                format!("NodeName={node} NodeAddr={address} CPUs=1 RealMemory=2000 State=UNKNOWN\n")
            })
            .concat();
        Ok(format!(
            "ClusterName=twain\n\
             SlurmctldHost={name}({HOST})\n\
             AuthType=auth/munge\n\
             CredType=cred/munge\n\
             SlurmUser=slurm\n\
             SlurmdUser=root\n\
             StateSaveLocation={folder}/controller\n\
             SlurmdSpoolDir={folder}/%n\n\
             SlurmctldPidFile={folder}/slurmctld.pid\n\
             SlurmdPidFile={folder}/slurmd.%n.pid\n\
             SlurmctldPort=26817\n\
             SlurmdPort=26818\n\
             SlurmdTimeout=10\n\
             ProctrackType=proctrack/pgid\n\
             TaskPlugin=task/none\n\
             JobAcctGatherType=jobacct_gather/none\n\
             AccountingStorageType=accounting_storage/none\n\
             JobCompType=jobcomp/none\n\
             SchedulerType=sched/backfill\n\
             SchedulerParameters=batch_sched_delay=0,sched_min_interval=0\n\
             SelectType=select/cons_tres\n\
             SelectTypeParameters=CR_Core\n\
             ReturnToService=2\n\
             MinJobAge=3600\n\
             KillWait=5\n\
             MpiDefault=none\n\
             {nodes}\
             PartitionName=prove Nodes=n1,n2 Default=YES MaxTime=600 State=UP\n"
        ))
    }

    fn make_network(&self) -> Result<(), Error> {
        line(&format!("ip link add {BRIDGE} type bridge"))?;
        line(&format!("ip address add {HOST}/24 dev {BRIDGE}"))?;
        line(&format!("ip link set {BRIDGE} up"))?;
        for (node, address) in NODES {
            let space = namespace(node);
            line(&format!("ip netns add {space}"))?;
            line(&format!("ip link add {space} type veth peer name eth0 netns {space}"))?;
            line(&format!("ip link set {space} master {BRIDGE} up"))?;
            line(&format!("ip -n {space} address add {address}/24 dev eth0"))?;
            line(&format!("ip -n {space} link set eth0 up"))?;
            line(&format!("ip -n {space} link set lo up"))?;
        }
        Ok(())
    }

    fn remove_network(&self) {
        for (node, _) in NODES {
            // It may not be there; its link goes with it.
            let _ = line(&format!("ip netns delete {}", namespace(node)));
        }
        let _ = line(&format!("ip link delete {BRIDGE}"));
    }

    fn start_daemons(&mut self) -> Result<(), Error> {
        self.start_daemon("slurmctld", Command::new("slurmctld").arg("-D"))?;
        for (node, _) in NODES {
            // Not `ip netns exec`: it hides the file system of control groups.
            let mut command = Command::new("nsenter");
            command.arg(format!("--net=/run/netns/{}", namespace(node)));
            self.start_daemon(node, command.args(["slurmd", "-D", "-N", node]))?;
        }
        Ok(())
    }

    fn start_daemon(&mut self, name: &str, command: &mut Command) -> Result<(), Error> {
        let path = self.folder.join(format!("{name}.log"));
        let log = File::create(&path).map_err(Error::file(&path))?;
        let both = log.try_clone().map_err(Error::file(&path))?;
        command.stdin(Stdio::null()).stdout(log).stderr(both).envs(self.environment());
        let started = command.process_group(0).spawn();
        let failed = |source| Error::Start { program: format!("Slurm's {name}"), source };
        self.daemons.push(started.map_err(failed)?);
        Ok(())
    }

    fn slurm(&self, program: &str, arguments: &[&str]) -> Result<String, Error> {
        let mut command = Command::new(program);
        run(program, command.args(arguments).envs(self.environment())).map(|output| output.stdout)
    }

    /// Waits until both nodes are idle.
    fn wait(&self) -> Result<(), Error> {
        let since = Instant::now();
        loop {
            let said = self.slurm("sinfo", &["--noheader", "--Node", "--format=%T"]);
            let idle = |said: &String| said.lines().filter(|it| it.trim() == "idle").count();
            if said.as_ref().is_ok_and(|said| idle(said) == NODES.len()) {
                return Ok(());
            }
            if since.elapsed() > PATIENCE {
                let logs = format!("see the logs in {}", self.folder.display());
                return Err(Error::content("the nodes of Slurm are not there", logs));
            }
            std::thread::sleep(Duration::from_millis(500));
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // What still runs ends with its job; the daemons need a moment for it.
        let _ = self.slurm("scancel", &["--me"]);
        std::thread::sleep(Duration::from_secs(1));
        for daemon in self.daemons.iter_mut().rev() {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        self.remove_network();
    }
}

/// Who vouches for users to Slurm. It stays when the cluster goes: there is one for a machine.
fn start_munge() -> Result<(), Error> {
    if Path::new("/run/munge/munge.socket.2").exists() && line("munge --no-input").is_ok() {
        return Ok(());
    }
    line("install -d -o munge -g munge -m 755 /run/munge")?;
    line("runuser -u munge -- /usr/sbin/munged --force").map(drop)
}
