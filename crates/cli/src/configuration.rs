//! What a user would have to repeat on every command line: flags that the environment (`TWAIN_PEER`
//! for `--peer`) or a file (TOML, `~/.config/twain/config.toml`) can say. A flag comes before the
//! environment, and that before the file.
//!
//! At the file's top stand the flags of [`SHARED`], for every command that has them; a table named
//! after a command has other flags of that command. What accepts a risk is for the command line
//! only: nobody should have accepted it months ago.

use crate::arguments::Arguments;
use crate::flag_sources::{FlagFile, FlagSourceError, Variables, flags, variable, variable_name};
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command, CommandFactory};
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// The flags that mean the same wherever they are.
pub const SHARED: [&str; 20] = [
    "log-format",
    "quiet",
    "verbose",
    "identity",
    "id",
    "remote-peer",
    "peer",
    "local-addr",
    "own-inputs",
    "connect-timeout",
    "idle-timeout",
    "session-timeout",
    "compiled-circuit",
    "settings-path",
    "srs-path",
    "pk-path",
    "vk-path",
    "proof-path",
    "rpc-url",
    "keystore",
];

/// Where they mean something else: a test SRS must not take a ceremony's place, and a witness has
/// commitments only if it is asked for them.
const ELSEWHERE: [(&str, &str); 3] =
    [("gen-srs", "srs-path"), ("gen-witness", "srs-path"), ("gen-witness", "vk-path")];

/// What is of no use, or refused, without a side (`--id`): commands that work alone have them, too.
const OF_A_SIDE: [&str; 4] = ["remote-peer", "peer", "local-addr", "own-inputs"];

/// Flags by which a user accepts something.
const CONSENTS: [&str; 5] = ["accept-error", "as-ezkl", "ended-sessions", "trust-peer", "yes"];

fn is_consent(long: &str) -> bool {
    long.starts_with("allow-") || CONSENTS.contains(&long)
}

/// Where a flag stands; what is larger comes before what is smaller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// At the file's top.
    File,
    /// In the file's table of the command.
    Table,
    Environment,
    CommandLine,
}

/// Words of a command line with what environment and file add.
pub struct Completed {
    /// All of them.
    pub words: Vec<OsString>,
    /// What was added and from where, for people: `--peer (TWAIN_PEER)`.
    pub added: Vec<String>,
}

/// A flag that is not on the command line.
struct Found<'a> {
    long: &'a str,
    words: Vec<String>,
    source: Source,
    place: String,
}

/// The file where it is looked for if nothing else is said, as far as there is a home.
fn default_path(variables: Variables) -> Option<PathBuf> {
    let set = |name| variables(name).filter(|value: &OsString| !value.is_empty());
    let home = || set("HOME").map(|home| Path::new(&home).join(".config"));
    let folder = set("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home)?;
    Some(folder.join("twain").join("config.toml"))
}

/// Adds what environment and file say to the words of a command line. A variable `TWAIN_CONFIG`
/// that is empty means no file.
///
/// # Errors
/// A file that cannot be read, that others may write, or that names what is no flag.
pub fn complete(words: Vec<OsString>, variables: Variables) -> Result<Completed, FlagSourceError> {
    let alone = |words| Ok(Completed { words, added: Vec::new() });
    let root = Arguments::command();
    // What is wrong with the words is said when they are read once more, with what is added.
    let Ok(read) = root.clone().ignore_errors(true).try_get_matches_from(&words) else {
        return alone(words);
    };
    // After `--` no word is a flag.
    let Some((name, _)) = read.subcommand().filter(|_| words.iter().all(|word| word != "--"))
    else {
        return alone(words);
    };
    let file = file(&read, variables)?;
    if let Some(file) = &file {
        check(file, &root)?;
    }
    let (arguments, given) = arguments(&root, &read);
    let is_given = |id: &str| given.value_source(id) == Some(ValueSource::CommandLine);
    let given: Vec<&Arg> =
        arguments.iter().copied().filter(|argument| is_given(argument.get_id().as_str())).collect();
    let mut found = Vec::new();
    for argument in &arguments {
        let Some(long) = argument.get_long() else { continue };
        let excluded = given.iter().any(|other| {
            other.get_id() == argument.get_id() || excludes(&root, name, other, argument)
        });
        if !excluded {
            found.extend(find(name, argument, long, file.as_ref(), variables)?);
        }
    }
    let has_side = is_given_by(&given, "id") || found.iter().any(|found| found.long == "id");
    let of_peer = found.iter().find(|found| found.long == "remote-peer");
    let address = match is_given_by(&given, "remote-peer") {
        true => Some(Source::CommandLine),
        false => of_peer.map(|found| found.source),
    };
    found.retain(|found| has_side || !OF_A_SIDE.contains(&found.long));
    // A key is that of the peer it stands beside, not of one that is named closer by.
    found.retain(|found| found.long != "peer" || address.is_none_or(|at| found.source >= at));
    let added = found.iter().map(|found| format!("--{} ({})", found.long, found.place)).collect();
    let more = found.into_iter().flat_map(|found| found.words).map(OsString::from);
    Ok(Completed { words: words.into_iter().chain(more).collect(), added })
}

fn is_given_by(given: &[&Arg], long: &str) -> bool {
    given.iter().any(|argument| argument.get_long() == Some(long))
}

/// The arguments that the command of `read` takes, and what was given of them.
fn arguments<'a>(root: &'a Command, read: &'a ArgMatches) -> (Vec<&'a Arg>, &'a ArgMatches) {
    let (mut command, mut matches) = (root, read);
    let mut global = Vec::new();
    while let Some((name, inner)) = matches.subcommand()
        && let Some(inner_command) = command.find_subcommand(name)
    {
        global.extend(command.get_arguments().filter(|argument| argument.is_global_set()));
        (command, matches) = (inner_command, inner);
    }
    let mut arguments: Vec<&Arg> = command.get_arguments().chain(global).collect();
    arguments.retain(|argument| argument.get_long().is_some_and(|long| long != "config"));
    (arguments, matches)
}

/// Whether one of two flags of the command rules the other out.
fn excludes(root: &Command, name: &str, one: &Arg, other: &Arg) -> bool {
    let Some(command) = root.find_subcommand(name) else { return false };
    let says = |one: &Arg, other: &Arg| {
        // A command has no conflicts between its own and those of all; these are asked of the root.
        let of = if one.is_global_set() { root } else { command };
        let has = |argument: &Arg| of.get_arguments().any(|own| own.get_id() == argument.get_id());
        has(one)
            && has(other)
            && of.get_arg_conflicts_with(one).iter().any(|arg| arg.get_id() == other.get_id())
    };
    says(one, other) || says(other, one)
}

/// What environment or file say of a flag.
fn find<'a>(
    command: &str,
    argument: &Arg,
    long: &'a str,
    file: Option<&FlagFile>,
    variables: Variables,
) -> Result<Option<Found<'a>>, FlagSourceError> {
    let found = |words, source, place| Some(Found { long, words, source, place });
    let is_shared = SHARED.contains(&long) && !ELSEWHERE.contains(&(command, long));
    if is_shared {
        let name = variable_name("TWAIN", long);
        if let Some(text) = variable(variables, &name)? {
            let words = flags(argument, long, text.split(','));
            return Ok(found(words, Source::Environment, name));
        }
    }
    let Some(file) = file else { return Ok(None) };
    let in_table = file.table.get(command).and_then(|table| table.as_table()?.get(long));
    let at_top = file.table.get(long).filter(|_| is_shared);
    let (value, source) = match (in_table, at_top) {
        (Some(value), _) => (value, Source::Table),
        (None, Some(value)) => (value, Source::File),
        (None, None) => return Ok(None),
    };
    let words = file.flags(argument, long, value)?;
    Ok(found(words, source, file.path().display().to_string()))
}

/// The file that flag or environment name, or the default one if it is there.
fn file(read: &ArgMatches, variables: Variables) -> Result<Option<FlagFile>, FlagSourceError> {
    let named = match read.get_one::<PathBuf>("config") {
        Some(path) => Some(path.clone()),
        None => variables("TWAIN_CONFIG").map(PathBuf::from),
    };
    let path = match named {
        Some(path) => Some(path).filter(|path| !path.as_os_str().is_empty()),
        None => default_path(variables).filter(|path| path.exists()),
    };
    let Some(path) = path else { return Ok(None) };
    refuse_if_open(&path)?;
    FlagFile::read(&path).map(Some)
}

/// Who could write the file could choose the peer.
#[cfg(unix)]
fn refuse_if_open(path: &Path) -> Result<(), FlagSourceError> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).map_or(0, |file| file.permissions().mode());
    match mode & 0o022 {
        0 => Ok(()),
        _ => Err(FlagSourceError::File {
            path: path.to_path_buf(),
            reason: "others may write it; run: chmod go-w on it".into(),
        }),
    }
}

#[cfg(not(unix))]
fn refuse_if_open(_: &Path) -> Result<(), FlagSourceError> {
    Ok(())
}

/// Refuses what is no flag, or none that may stand in a file.
fn check(file: &FlagFile, root: &Command) -> Result<(), FlagSourceError> {
    for (name, value) in &file.table {
        let Some(table) = value.as_table() else {
            if is_consent(name) {
                return Err(file.error(format!("{name} is for the command line only")));
            }
            if SHARED.contains(&name.as_str()) {
                continue;
            }
            let text = format!(
                "{name} is no flag of all commands; those of one stand below its name, as in \
                 [prove]"
            );
            return Err(file.error(text));
        };
        let Some(command) = root.find_subcommand(name) else {
            return Err(file.error(format!("[{name}] is no command of twain")));
        };
        for long in table.keys() {
            if is_consent(long) {
                return Err(file.error(format!("[{name}] {long} is for the command line only")));
            }
            if command.get_arguments().all(|argument| argument.get_long() != Some(long)) {
                return Err(file.error(format!("[{name}] {long} is no flag of twain {name}")));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use twain::pair::Invitation;
    use twain_link::identity::Fingerprint;

    /// A folder with a file of settings, and what a line comes to.
    struct Place(tempfile::TempDir);

    impl Place {
        fn with(text: &str) -> Self {
            let place = Place(tempfile::tempdir().unwrap());
            std::fs::write(place.file(), text).unwrap();
            place
        }

        fn file(&self) -> PathBuf {
            self.0.path().join("config.toml")
        }

        fn complete(
            &self,
            line: &str,
            variables: &[(&str, &str)],
        ) -> Result<Completed, FlagSourceError> {
            let config = ("TWAIN_CONFIG", self.file().into_os_string());
            let variables = variables.iter().map(|(name, value)| (*name, OsString::from(value)));
            let variables: Vec<_> = variables.chain([config]).collect();
            let variable = |name: &str| {
                let found = variables.iter().find(|(known, _)| *known == name);
                found.map(|(_, value)| value.clone())
            };
            complete(line.split(' ').map(OsString::from).collect(), &variable)
        }

        /// The words that are added.
        fn added(&self, line: &str, variables: &[(&str, &str)]) -> Vec<String> {
            let words = self.complete(line, variables).unwrap().words;
            Arguments::try_parse_from(&words).unwrap();
            let added = words.into_iter().skip(line.split(' ').count());
            added.map(|word| word.into_string().unwrap()).collect()
        }

        fn complaint(&self, line: &str) -> String {
            self.complete(line, &[]).err().unwrap().to_string()
        }
    }

    const BOB: &str = "id = \"model\"\nremote-peer = \"bob:7\"\npeer = \"key of bob\"\n";

    #[test]
    fn a_flag_comes_before_the_environment_and_that_before_the_file() {
        let text = "srs-path = \"file.srs\"\nidentity = \"file\"\npk-path = \"file.key\"\n\
             [setup]\npk-path = \"table.key\"\ndisable-selector-compression = true\n";
        let place = Place::with(text);
        let variables = [("TWAIN_IDENTITY", "variable"), ("TWAIN_SRS_PATH", "variable.srs")];
        let added = |line: &str| place.added(line, &variables);
        let line = "twain prove --id data --remote-peer a:7 --srs-path flag.srs";
        assert_eq!(added(line), ["--pk-path=file.key", "--identity=variable"]);
        let of_setup =
            ["--srs-path=variable.srs", "--pk-path=table.key", "--disable-selector-compression"];
        assert_eq!(added("twain setup"), of_setup);
        // An empty variable is none.
        assert_eq!(place.added("twain identity", &[("TWAIN_IDENTITY", "")]), ["--identity=file"]);
        assert_eq!(added("twain peers list"), ["--identity=variable"]);
        // A test SRS does not take the place of the one that is used.
        assert!(added("twain gen-srs --logrows 5 --srs-path mine.srs").is_empty());
        assert!(place.complete("twain gen-srs --logrows 5", &variables).unwrap().added.is_empty());
        assert!(added("twain gen-witness").is_empty());
        let told = place.complete("twain identity", &variables).unwrap().added;
        assert_eq!(told, ["--identity (TWAIN_IDENTITY)"]);
    }

    #[test]
    fn a_peer_is_taken_whole_and_only_where_there_is_a_side() {
        let place = Place::with(BOB);
        let all = ["--remote-peer=bob:7", "--id=model", "--peer=key of bob"];
        assert_eq!(place.added("twain prove", &[]), all);
        assert_eq!(place.added("twain prove --id data", &[]), [all[0], all[2]]);
        // The key is not that of a peer who is named elsewhere.
        assert_eq!(place.added("twain prove --remote-peer eve:7", &[]), [all[1]]);
        let variables = [("TWAIN_REMOTE_PEER", "eve:7")];
        assert_eq!(place.added("twain prove", &variables), ["--remote-peer=eve:7", all[1]]);
        let invitation = format!("twain prove --invite {}", invitation());
        assert_eq!(place.added(&invitation, &[]), [all[1]]);
        let without_side = Place::with("remote-peer = \"bob:7\"\nown-inputs = [0, 2]\n");
        assert!(without_side.added("twain prove", &[]).is_empty());
        let added = without_side.added("twain prove --id data", &[]);
        assert_eq!(added, ["--remote-peer=bob:7", "--own-inputs=0", "--own-inputs=2"]);
    }

    fn invitation() -> String {
        let (address, fingerprint) = ("a.example:7".into(), Fingerprint([1; 32]));
        Invitation { address, fingerprint, circuit: [2; 32], expires: 4_102_444_800 }.to_string()
    }

    #[test]
    fn what_may_not_stand_in_a_file_is_said() {
        for (text, part) in [
            ("log_format = \"json\"", "log_format is no flag of all commands"),
            ("output = \"w.json\"", "[prove]"),
            ("allow-polycommit = true", "allow-polycommit is for the command line only"),
            ("[redact]\nyes = true", "[redact] yes is for the command line only"),
            ("[prove]\ntrust-peer = true", "trust-peer is for the command line only"),
            ("[proof]\nid = \"model\"", "[proof] is no command of twain"),
            ("[prove]\nmodel = \"a\"", "model is no flag of twain prove"),
            ("identity = { a = 1 }", "[identity] a is no flag"),
            ("identity = [[]]", "identity: give a text"),
            ("identity", "config.toml"),
        ] {
            let place = Place::with(text);
            let complaint = place.complaint("twain identity");
            assert!(complaint.contains(part), "{text}: {complaint}");
        }
        let place = Place::with(BOB);
        std::fs::remove_file(place.file()).unwrap();
        assert!(place.complaint("twain identity").contains("config.toml"), "named, and not there");
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt;
        let place = Place::with(BOB);
        let set = |mode| {
            std::fs::set_permissions(place.file(), PermissionsExt::from_mode(mode)).unwrap();
        };
        set(0o664);
        assert!(place.complaint("twain identity").contains("chmod go-w"));
        set(0o644);
        assert!(place.complete("twain identity", &[]).is_ok());
    }

    #[test]
    fn shared_flags_are_flags_and_mean_the_same() {
        let root = Arguments::command();
        let everywhere =
            || root.get_arguments().chain(root.get_subcommands().flat_map(Command::get_arguments));
        for long in SHARED {
            assert!(everywhere().any(|argument| argument.get_long() == Some(long)), "{long}");
            assert!(!is_consent(long), "{long}");
        }
    }

    #[test]
    fn other_words_are_left_alone() {
        let place = Place::with("dir = 1");
        for line in
            ["twain", "twain --help", "twain prove --help", "twain nothing", "twain identity -- a"]
        {
            let completed = place.complete(line, &[]).unwrap();
            assert_eq!(completed.words.len(), line.split(' ').count(), "{line}");
        }
    }
}
