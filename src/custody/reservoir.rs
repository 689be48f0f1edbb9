//! Randomness of an HSM, or of an HSM and the operating system together. A thread of its own draws it ahead of time into secret memory,
//! tests it, and hands it out. Where it does not come, nothing is given in its place: whoever waits for it fails, until it comes again.

use super::noise::{Noise, STARTUP};
use super::sealer::KekProvider;
use super::slab::{Locked, Slab};
use crate::audit::alarm::{Event, raise};
use crate::clock::{Clock, SystemClock};
use crate::crypto::{CryptoError, Generator, OsRandomness, Randomness};
use kmip_protocol::RNGAlgorithm;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroize;

/// Bytes kept ahead: some hundred keys, with their nonces.
const CAPACITY: usize = 4096;

/// Bytes drawn at a time: what an HSM gives in a fraction of a millisecond.
const PORTION: usize = 1024;

/// How long whoever needs randomness waits where none is left. Longer, and requests would pile up on the threads that they hold.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long to wait before a source that failed is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Whether the operating system's generator is mixed in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Mix {
    /// What the HSM gives, as it is.
    Hsm,
    /// Both, one added to the other bit by bit: as good as the better of them.
    HsmAndOs,
}

/// The source. Clones share it.
#[derive(Clone)]
pub struct Reservoir(Arc<Shared>);

struct Shared {
    mix: Mix,
    os: OsRandomness,
    patience: Duration,
    state: Mutex<State>,
    /// Something was drawn, or will not be.
    filled: Condvar,
    /// There is room, or another HSM.
    wanted: Condvar,
}

struct State {
    /// The first `level` bytes are good.
    pool: Locked,
    level: usize,
    provider: Option<Arc<dyn KekProvider>>,
    /// Whether the last draw failed.
    out: bool,
}

/// The thread's own: what it has seen of the source.
#[derive(Default)]
struct Drawer {
    noise: Noise,
    started: bool,
}

impl Reservoir {
    /// Gives nothing before an HSM is attached.
    ///
    /// # Errors
    /// [`CryptoError::Random`] if there is no secret memory or no thread for it.
    pub fn new(slab: &Slab, mix: Mix) -> Result<Self, CryptoError> {
        Self::with_patience(slab, mix, PATIENCE)
    }

    /// The same, with another patience.
    ///
    /// # Errors
    /// As [`Reservoir::new`].
    pub fn with_patience(slab: &Slab, mix: Mix, patience: Duration) -> Result<Self, CryptoError> {
        let pool = slab.allocate(CAPACITY).map_err(|_| CryptoError::Random)?;
        let state = State {
            pool,
            level: 0,
            provider: None,
            out: false,
        };
        let shared = Arc::new(Shared {
            mix,
            os: OsRandomness::new(),
            patience,
            state: Mutex::new(state),
            filled: Condvar::new(),
            wanted: Condvar::new(),
        });
        let theirs = Arc::downgrade(&shared);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|_| CryptoError::Random)?;
        let draw = move || {
            let mut drawer = Drawer::default();
            while let Some(shared) = theirs.upgrade() {
                if let Some(provider) = shared.next() {
                    let drawn = runtime.block_on(drawer.portion(provider.as_ref()));
                    shared.take_in(drawn.as_ref());
                }
            }
        };
        let thread = std::thread::Builder::new().name("randomness".to_owned());
        thread.spawn(draw).map_err(|_| CryptoError::Random)?;
        Ok(Self(shared))
    }

    /// Has it drawn from this HSM from now on. What is left of another one is good.
    pub fn attach(&self, provider: Arc<dyn KekProvider>) {
        let mut state = self.0.state();
        state.provider = Some(provider);
        state.out = false;
        drop(state);
        self.0.wanted.notify_all();
    }
}

impl Drawer {
    /// The next bytes of the source; `None` if it does not answer, or fails the tests.
    async fn portion(&mut self, provider: &dyn KekProvider) -> Option<Locked> {
        if !self.started {
            *self = Self::default();
            for _ in 0..STARTUP / PORTION {
                self.draw(provider).await?;
            }
            self.started = true;
        }
        let drawn = self.draw(provider).await;
        self.started = drawn.is_some();
        drawn
    }

    async fn draw(&mut self, provider: &dyn KekProvider) -> Option<Locked> {
        let drawn = provider.random(PORTION).await.ok()?;
        (drawn.len() == PORTION && self.noise.passes(drawn.expose())).then_some(drawn)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whom to draw from, once there is room. `None` now and then, so that somebody looks whether there is anybody left to draw for.
    fn next(&self) -> Option<Arc<dyn KekProvider>> {
        let state = self.state();
        if state.out {
            // It is not asked without a pause.
            drop(self.wanted.wait_timeout(state, AGAIN));
            return self.state().provider.clone();
        }
        let idle = |state: &mut State| state.provider.is_none() || state.level.saturating_add(PORTION) > CAPACITY;
        let waited = self.wanted.wait_timeout_while(state, AGAIN, idle);
        let (state, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            None
        } else {
            state.provider.clone()
        }
    }

    fn take_in(&self, drawn: Option<&Locked>) {
        let mut state = self.state();
        let State { pool, level, out, .. } = &mut *state;
        let was_out = core::mem::replace(out, drawn.is_none());
        if let Some(drawn) = drawn {
            let end = level.saturating_add(PORTION);
            if let Some(room) = pool.expose_mut().get_mut(*level..end) {
                room.copy_from_slice(drawn.expose());
                *level = end;
            }
        }
        let is_out = *out;
        drop(state);
        self.filled.notify_all();
        if is_out && !was_out {
            let now = SystemClock::start().now();
            // No trail carries it: its commits may be among what waits for randomness.
            let _ = raise(Event::RandomnessOutage, [0; 16], now.0, "an HSM that keys come from");
        }
        if was_out && !is_out {
            tracing::info!("the source of randomness is back");
        }
    }

    /// Bytes from the end of the pool, which are wiped there.
    fn pour(&self, into: &mut [u8]) -> Result<(), CryptoError> {
        let begun = Instant::now();
        let mut state = self.state();
        while state.level < into.len() {
            let left = self.patience.saturating_sub(begun.elapsed());
            if state.out || left.is_zero() {
                return Err(CryptoError::Random);
            }
            let waited = self.filled.wait_timeout(state, left);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let State { pool, level, .. } = &mut *state;
        let from = level.saturating_sub(into.len());
        let taken = pool.expose_mut().get_mut(from..*level).ok_or(CryptoError::Random)?;
        into.copy_from_slice(taken);
        taken.zeroize();
        *level = from;
        drop(state);
        self.wanted.notify_all();
        Ok(())
    }
}

impl Randomness for Reservoir {
    fn fill(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        for part in out.chunks_mut(PORTION) {
            self.0.pour(part)?;
            if self.0.mix == Mix::HsmAndOs {
                let mut other = zeroize::Zeroizing::new([0; PORTION]);
                let other = other.get_mut(..part.len()).ok_or(CryptoError::Random)?;
                self.0.os.fill(other)?;
                part.iter_mut().zip(other.iter()).for_each(|(to, from)| *to ^= from);
            }
        }
        Ok(())
    }

    fn generator(&self) -> Generator {
        Generator {
            name: match self.0.mix {
                Mix::Hsm => "hsm",
                Mix::HsmAndOs => "os+hsm",
            },
            algorithm: RNGAlgorithm::Unspecified,
            drbg: None,
            cipher: None,
            cipher_bits: None,
            prediction_resistance: None,
        }
    }

    /// Nothing is drawn when it is chosen: its HSM is found later.
    fn begin(&self) -> Result<(), CryptoError> {
        Ok(())
    }

    /// A seed goes to the operating system's part, if there is one.
    fn absorb(&self, seed: &[u8]) -> usize {
        match self.0.mix {
            Mix::Hsm => 0,
            Mix::HsmAndOs => self.0.os.absorb(seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::error::CustodyError;
    use super::super::record::{KekRecord, Placement};
    use super::super::sealer::{NewKek, Sealer, SealerKind};
    use super::*;
    use crate::wait::Wait;
    use ring::rand::{SecureRandom, SystemRandom};
    use std::sync::atomic::{AtomicU8, Ordering};

    const GOOD: u8 = 0;
    const AWAY: u8 = 1;
    const STUCK: u8 = 2;
    const SLOW: u8 = 3;

    /// An HSM that gives randomness, or whatever else it is told to.
    struct Fake {
        slab: Slab,
        mood: AtomicU8,
    }

    impl KekProvider for Fake {
        fn kind(&self) -> SealerKind {
            SealerKind::Resident
        }

        fn create<'a>(&'a self, _: &'a NewKek, _: Option<&'a Locked>) -> Wait<'a, Result<Placement, CustodyError>> {
            crate::wait::ready(Err(CustodyError::Unavailable))
        }

        fn find<'a>(&'a self, _: &'a NewKek) -> Wait<'a, Result<Placement, CustodyError>> {
            crate::wait::ready(Err(CustodyError::Unavailable))
        }

        fn destroy<'a>(&'a self, _: &'a KekRecord, _: Option<&'a Locked>) -> Wait<'a, Result<(), CustodyError>> {
            crate::wait::ready(Err(CustodyError::Unavailable))
        }

        fn sealer(&self, _: &KekRecord) -> Result<Arc<dyn Sealer>, CustodyError> {
            Err(CustodyError::Unavailable)
        }

        fn examine<'a>(&'a self, _: Option<&'a Locked>) -> Wait<'a, Result<super::super::Capabilities, CustodyError>> {
            crate::wait::ready(Err(CustodyError::Unavailable))
        }

        fn health(&self) -> Wait<'_, Result<(), CustodyError>> {
            crate::wait::ready(Ok(()))
        }

        fn random(&self, length: usize) -> Wait<'_, Result<Locked, CustodyError>> {
            Box::pin(async move {
                let mut bytes = self.slab.allocate(length)?;
                match self.mood.load(Ordering::SeqCst) {
                    GOOD => SystemRandom::new().fill(bytes.expose_mut()).unwrap(),
                    AWAY => return Err(CustodyError::Unavailable),
                    SLOW => std::future::pending().await,
                    _ => bytes.expose_mut().fill(0x5a),
                }
                Ok(bytes)
            })
        }
    }

    fn source(mix: Mix, mood: u8, patience: Duration) -> (Reservoir, Arc<Fake>) {
        let slab = Slab::new().unwrap();
        let reservoir = Reservoir::with_patience(&slab, mix, patience).unwrap();
        let mood = AtomicU8::new(mood);
        let fake = Arc::new(Fake { slab, mood });
        reservoir.attach(fake.clone());
        (reservoir, fake)
    }

    const LONG: Duration = Duration::from_secs(30);
    const SHORT: Duration = Duration::from_millis(20);

    #[test]
    fn it_gives_more_than_it_holds_and_nothing_twice() {
        for (mix, name) in [(Mix::Hsm, "hsm"), (Mix::HsmAndOs, "os+hsm")] {
            let (reservoir, _) = source(mix, GOOD, LONG);
            assert_eq!(reservoir.generator().name, name);
            let mut long = vec![0; 5 * CAPACITY];
            reservoir.fill(&mut long).unwrap();
            let mut parts: Vec<&[u8]> = long.chunks(16).collect();
            parts.sort_unstable();
            assert!(parts.windows(2).all(|pair| pair[0] != pair[1]));
        }
    }

    #[test]
    fn without_an_hsm_it_gives_nothing_and_then_recovers() {
        let slab = Slab::new().unwrap();
        let reservoir = Reservoir::with_patience(&slab, Mix::Hsm, SHORT).unwrap();
        assert_eq!(reservoir.fill(&mut [0; 32]), Err(CryptoError::Random));
        let (mood, patient) = (AtomicU8::new(GOOD), &reservoir);
        reservoir.attach(Arc::new(Fake { slab, mood }));
        let comes = || patient.fill(&mut [0; 32]).is_ok();
        assert!((0..1000).any(|_| comes()), "it never came");
    }

    #[test]
    fn a_source_that_is_away_slow_or_stuck_gives_nothing() {
        for mood in [AWAY, STUCK, SLOW] {
            for mix in [Mix::Hsm, Mix::HsmAndOs] {
                let (reservoir, _) = source(mix, mood, SHORT);
                let mut out = [0; 32];
                assert_eq!(reservoir.fill(&mut out), Err(CryptoError::Random), "{mood} {mix:?}");
                assert_eq!(out, [0; 32], "the operating system's alone is not given");
            }
        }
    }

    #[test]
    fn what_was_drawn_before_a_failure_is_given_and_what_comes_after_it_once_it_is_good() {
        let (reservoir, fake) = source(Mix::Hsm, GOOD, LONG);
        reservoir.fill(&mut [0; 32]).unwrap();
        fake.mood.store(STUCK, Ordering::SeqCst);
        let fails = || reservoir.fill(&mut [0; 64]).is_err();
        assert!((0..1000).any(|_| fails()), "it never failed");
        fake.mood.store(GOOD, Ordering::SeqCst);
        let begun = Instant::now();
        while fails() {
            assert!(begun.elapsed() < LONG, "it never came back");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    #[test]
    fn the_seed_of_a_client_reaches_the_operating_system_only() {
        assert_eq!(source(Mix::Hsm, GOOD, LONG).0.absorb(b"seed"), 0);
    }
}
