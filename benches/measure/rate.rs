//! How often one thread can do something.

use std::time::Duration;

use super::measure::now;

/// How often something can be done in a second, by one thread; the best of three rounds.
pub(crate) fn rate<E>(length: Duration, mut work: impl FnMut() -> Result<(), E>) -> Result<f64, E> {
    let mut best: f64 = 0.0;
    for _ in 0..3 {
        let (start, mut done) = (now(), 0u32);
        while start.elapsed() < length {
            work()?;
            done += 1;
        }
        best = best.max(f64::from(done) / start.elapsed().as_secs_f64());
    }
    Ok(best)
}
