//! Where passwords are hashed: off the threads that serve requests, as many at once as there are cores, the others in
//! a line that gives up after a while.
//!
//! One hash is 20 ms and 19 MiB; without a gate a school's first hour on Monday (or an attacker) would have thousands
//! of them at once. Whoever holds a [`Permit`] is one of few: `sign_in::password` counts a failure before it lets the
//! permit go, so guesses sent together overshoot an account's limit by no more than the number of permits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Failure;
use crate::base::random::Random;
use crate::login::password::{self, Check, Cost, Password, PasswordError, Verifier};

/// How long a login stands in line before it is told to come back.
const PATIENCE: Duration = Duration::from_secs(5);

/// The gate; one for the whole program.
#[derive(Debug)]
pub struct PasswordGate {
    permits: Arc<Semaphore>,
    patience: Duration,
    cost: Cost,
    computed: AtomicU64,
}

impl PasswordGate {
    /// A gate through which `at_once` hashes pass at a time.
    pub fn new(at_once: usize, patience: Duration) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(at_once.max(1))),
            patience,
            cost: Cost::OWASP,
            computed: AtomicU64::new(0),
        }
    }

    /// As many at a time as this machine has cores, with five seconds of patience.
    pub fn for_this_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Self::new(cores, PATIENCE)
    }

    /// Stands in line; `None` where it is too long.
    pub async fn enter(self: &Arc<Self>) -> Option<Permit> {
        let waiting = Arc::clone(&self.permits).acquire_owned();
        match tokio::time::timeout(self.patience, waiting).await {
            Ok(Ok(permit)) => Some(Permit {
                permit,
                gate: Arc::clone(self),
            }),
            Ok(Err(_)) | Err(_) => None,
        }
    }

    /// How many hashes were computed since the start.
    pub fn computed(&self) -> u64 {
        self.computed.load(Ordering::Relaxed)
    }
}

/// The right to have one hash computed at a time, until it is dropped.
#[derive(Debug)]
pub struct Permit {
    permit: OwnedSemaphorePermit,
    gate: Arc<PasswordGate>,
}

impl Permit {
    /// Checks a password.
    ///
    /// # Errors
    /// [`Failure::Task`].
    pub async fn check(self, password: Password, verifier: Verifier) -> Result<(Self, Check), Failure> {
        self.work(move |cost| password::check(&password, &verifier, cost))
            .await
    }

    /// Hashes a password.
    ///
    /// # Errors
    /// [`Failure::Task`].
    pub async fn hash(
        self,
        password: Password,
        random: Arc<dyn Random>,
    ) -> Result<(Self, Verifier), Failure> {
        self.work(move |cost| password::hash(&password, cost, &*random))
            .await
    }

    async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce(Cost) -> Result<T, PasswordError> + Send + 'static,
    ) -> Result<(Self, T), Failure> {
        let Self { permit, gate } = self;
        gate.computed.fetch_add(1, Ordering::Relaxed);
        let cost = gate.cost;
        // The permit goes along: a client that hangs up does not stop the thread, and must not let another one start.
        let task = tokio::task::spawn_blocking(move || (permit, work(cost)));
        let (permit, result) = task.await.map_err(|error| Failure::Task(error.to_string()))?;
        let result = result.map_err(|error| Failure::Task(error.to_string()))?;
        Ok((Self { permit, gate }, result))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::SeededRandom;

    #[tokio::test]
    async fn a_line_that_is_too_long_is_told_so_and_a_permit_comes_back() {
        let gate = Arc::new(PasswordGate::new(1, Duration::from_millis(20)));
        let first = gate.enter().await.unwrap();
        assert!(gate.enter().await.is_none());
        drop(first);
        assert!(gate.enter().await.is_some());
    }

    #[tokio::test]
    async fn who_hangs_up_keeps_the_permit_until_the_work_is_done() {
        let gate = Arc::new(PasswordGate::new(1, Duration::from_millis(1)));
        let (started, wait_started) = tokio::sync::oneshot::channel();
        let (finish, wait_finish) = std::sync::mpsc::channel::<()>();
        let permit = gate.enter().await.unwrap();
        let caller = tokio::spawn(permit.work(move |_| {
            started.send(()).unwrap();
            wait_finish.recv().unwrap();
            Ok(())
        }));
        wait_started.await.unwrap();
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        assert!(gate.enter().await.is_none(), "the thread is still at work");
        finish.send(()).unwrap();
        while gate.enter().await.is_none() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn what_is_hashed_checks_and_is_counted() {
        let gate = Arc::new(PasswordGate::new(1, Duration::from_secs(5)));
        let password = Password::typed("Le chat dort à midi").unwrap();
        let permit = gate.enter().await.unwrap();
        let (permit, verifier) = permit
            .hash(password.clone(), Arc::new(SeededRandom::new(1)))
            .await
            .unwrap();
        let (permit, right) = permit.check(password, verifier).await.unwrap();
        assert_eq!(right, Check::Right { outdated: false });
        let (_permit, wrong) = permit
            .check(Password::typed("x").unwrap(), Verifier::of_nobody())
            .await
            .unwrap();
        assert_eq!((wrong, gate.computed()), (Check::Wrong, 3));
    }
}
