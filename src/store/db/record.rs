//! For tests: which round trips a piece of work makes, by the names of their statements, so that their number cannot grow
//! unseen. What the work hands to another task is not in it.

use std::cell::RefCell;
use std::future::Future;

tokio::task_local! {
    static SEEN: RefCell<Vec<&'static str>>;
}

/// Runs work; answers its round trips with what came of it.
pub(crate) async fn round_trips<T>(work: impl Future<Output = T>) -> (T, Vec<&'static str>) {
    SEEN.scope(RefCell::default(), async {
        let done = work.await;
        (done, SEEN.with(RefCell::take))
    })
    .await
}

pub(super) fn round_trip(name: &'static str) {
    // Nobody is looking where there is no scope.
    let _ = SEEN.try_with(|seen| seen.borrow_mut().push(name));
}
