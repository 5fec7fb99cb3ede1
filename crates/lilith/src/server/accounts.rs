//! A Unix user for each project (`serve --user-per-project`): its jobs, and whatever else reads
//! what was put into it, run as that user, so that the system keeps one project's files from
//! another's jobs. The users need no entry in the system's list; which one a project has is who
//! owns its files.
//!
//! Folders that hold those of several projects stay root's, and can be passed through but not
//! listed: nobody can put a link in the place of a folder that the server opens.

use super::options::{ExecutorName, Options};
use crate::error::{Code, ServiceError};
use crate::folder::{Folder, make_private};
use std::fs::{self, Permissions};
use std::ops::RangeInclusive;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown};
use std::path::Path;
use std::sync::Mutex;

use super::lock::lock;

/// The folders of a project that its jobs use. The files come first: who owns them is who the
/// project is.
const THEIRS: [&str; 3] = ["files", "identity", "ezkl/srs"];

/// The users of projects.
#[derive(Debug)]
pub struct Accounts {
    range: Option<RangeInclusive<u32>>,
    /// Held while a number is chosen.
    choosing: Mutex<()>,
}

fn failed(path: &Path) -> impl FnOnce(std::io::Error) -> ServiceError {
    move |error| ServiceError::internal(format!("{}", path.display()), error)
}

/// Lets others through a folder, which they cannot list.
pub fn let_through(folder: &Path) -> Result<(), ServiceError> {
    fs::set_permissions(folder, Permissions::from_mode(0o711)).map_err(failed(folder))
}

/// A folder with all that is in it becomes somebody's; links are theirs, not what they lead to.
fn give(path: &Path, account: u32) -> Result<(), ServiceError> {
    lchown(path, Some(account), Some(account)).map_err(failed(path))?;
    if fs::symlink_metadata(path).map_err(failed(path))?.is_dir() {
        for entry in fs::read_dir(path).map_err(failed(path))? {
            give(&entry.map_err(failed(path))?.path(), account)?;
        }
    }
    Ok(())
}

impl Accounts {
    /// As the operator says. Projects that were made without users get theirs now.
    ///
    /// # Errors
    /// If this cannot be: only root becomes other users, and they must be able to reach the folder.
    pub fn new(options: &Options) -> Result<Self, ServiceError> {
        let accounts = Self { range: options.user_per_project.clone(), choosing: Mutex::default() };
        if accounts.range.is_none() {
            return Ok(accounts);
        }
        let refuse = |text: String| Err(ServiceError::new(Code::BadRequest, text));
        if !nix::unistd::geteuid().is_root() {
            return refuse("--user-per-project: only root can start jobs as other users".into());
        }
        if options.executor != ExecutorName::Local {
            let text = "--user-per-project: Slurm's jobs run as who submits them";
            return refuse(text.into());
        }
        let directory = &options.directory;
        let above = directory.ancestors().skip(1);
        for folder in above {
            if fs::metadata(folder).map_err(failed(folder))?.mode() & 0o001 == 0 {
                return refuse(format!(
                    "--user-per-project: other users cannot pass through {}; run: chmod o+x on it",
                    folder.display()
                ));
            }
        }
        let (projects, recipes) = (directory.join("projects"), directory.join("recipes"));
        for folder in [directory, &projects, &recipes] {
            make_private(folder)?;
            let_through(folder)?;
        }
        for entry in fs::read_dir(&projects).map_err(failed(&projects))?.flatten() {
            accounts.assign(&entry.path())?;
        }
        for entry in fs::read_dir(&recipes).map_err(failed(&recipes))?.flatten() {
            // What still runs there does so as before; the next attempt finds its files given.
            let_through(&entry.path())?;
        }
        Ok(accounts)
    }

    fn owner(&self, project: &Path) -> Option<u32> {
        let owner = fs::metadata(project.join(THEIRS[0])).ok()?.uid();
        self.range.as_ref()?.contains(&owner).then_some(owner)
    }

    /// As whom the jobs of the project in a folder run; none for the server's own user.
    pub fn of(&self, project: &Path) -> Result<Option<u32>, ServiceError> {
        match &self.range {
            None => Ok(None),
            Some(_) => self.owner(project).map(Some).ok_or_else(|| {
                ServiceError::internal("finding the project's user", "its files are not its own")
            }),
        }
    }

    /// Gives the project in a folder a user, if it has none, and its files to that user.
    pub fn assign(&self, project: &Path) -> Result<(), ServiceError> {
        let Some(range) = &self.range else { return Ok(()) };
        let _choosing = lock(&self.choosing);
        let others = project.parent().map(fs::read_dir).and_then(Result::ok);
        let taken: Vec<u32> = others
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|it| self.owner(&it.path()))
            .collect();
        let account = self.owner(project).or_else(|| range.clone().find(|id| !taken.contains(id)));
        let account = account.ok_or_else(|| {
            ServiceError::new(Code::Quota, "all of --user-per-project's users have projects")
        })?;
        for folder in ["", "ezkl", "deployments"].map(|name| project.join(name)) {
            make_private(&folder)?;
            let_through(&folder)?;
        }
        for name in THEIRS {
            let folder = project.join(name);
            Folder::open_for(&folder, Some(account))?;
            give(&folder, account)?;
        }
        let deployments = project.join("deployments");
        for entry in fs::read_dir(&deployments).map_err(failed(&deployments))?.flatten() {
            give(&entry.path(), account)?;
        }
        Ok(())
    }
}
