//! Waiting for the disk or another program without keeping other tasks from going on.

/// Does something that takes its time; other tasks of a runtime, if there is one, go on meanwhile.
pub fn blocking<T>(work: impl FnOnce() -> T) -> T {
    match tokio::runtime::Handle::try_current() {
        Ok(_) => tokio::task::block_in_place(work),
        Err(_) => work(),
    }
}
