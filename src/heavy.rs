//! Where work goes that costs more than about a millisecond of processor time: RSA and DH generation, hash-based signatures,
//! password hashing. A bounded pool, so that such requests queue behind one another and not before everybody's reads; and a fair one,
//! so that nobody's requests stand in the way of everybody else's: places go round the domains that wait, and within a domain round
//! its members.

use crate::failure::{Failure, Fault};
use crate::identity::{ClientId, PersonId, Principal};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Passwords of one member that are judged or wait to be: more than one who knows its password shows at a time, and few enough that
/// whoever has a certificate alone fills nothing with guesses.
pub const MOST_PASSWORDS: usize = 8;

/// On whose account a job runs: a member of a domain.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct Account {
    /// The domain.
    pub domain: [u8; 16],
    /// Which of its clients and people.
    pub member: [u8; 16],
}

impl From<PersonId> for Account {
    fn from(id: PersonId) -> Self {
        Self {
            domain: id.domain.0,
            member: id.person,
        }
    }
}

impl From<ClientId> for Account {
    fn from(id: ClientId) -> Self {
        Self {
            domain: id.tenant.0,
            member: id.client,
        }
    }
}

/// Strangers share one account, and the server has another.
impl From<&Principal> for Account {
    fn from(principal: &Principal) -> Self {
        match principal {
            Principal::Client(client) => Self {
                domain: client.tenant.0,
                member: client.client,
            },
            Principal::Person(person) => Self {
                domain: person.domain.0,
                member: person.person,
            },
            Principal::Unregistered(_) => Self {
                domain: [0xFF; 16],
                member: [0xFF; 16],
            },
            Principal::Process(_) => Self::default(),
        }
    }
}

/// The pool. Simulation and unit tests run jobs in place.
#[derive(Clone)]
pub struct Heavy {
    places: Option<Arc<Places>>,
    passwords: Arc<Mutex<HashMap<Account, usize>>>,
}

/// The places, and who waits for one.
struct Places {
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    free: usize,
    /// The domains that wait, in the order in which their turns come; each once.
    turns: VecDeque<[u8; 16]>,
    domains: HashMap<[u8; 16], Line>,
}

/// Those of one domain that wait.
#[derive(Default)]
struct Line {
    turns: VecDeque<[u8; 16]>,
    members: HashMap<[u8; 16], VecDeque<oneshot::Sender<Place>>>,
}

/// A place in the pool, handed on when it is dropped.
struct Place(Option<Arc<Places>>);

/// One of the passwords that a member may have judged at a time.
struct Admitted {
    passwords: Arc<Mutex<HashMap<Account, usize>>>,
    account: Account,
}

impl Heavy {
    /// Runs jobs on threads of their own, at most `places` at a time.
    #[must_use]
    pub fn threads(places: usize) -> Self {
        let queue = Queue {
            free: places.max(1),
            ..Queue::default()
        };
        Self {
            places: Some(Arc::new(Places {
                queue: Mutex::new(queue),
            })),
            passwords: Arc::default(),
        }
    }

    /// Runs jobs where they are called: one thread, deterministic.
    #[must_use]
    pub fn in_place() -> Self {
        Self {
            places: None,
            passwords: Arc::default(),
        }
    }

    /// Runs a job. Its panic is an internal error of this request alone.
    pub async fn run<T: Send + 'static>(
        &self,
        account: Account,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let Some(places) = &self.places else { return Ok(job()) };
        let place = Places::take(places, account).await?;
        let done = tokio::task::spawn_blocking(move || {
            let outcome = job();
            drop(place);
            outcome
        });
        done.await
            .map_err(|_| Failure::detailed(Fault::Internal, "a job panicked"))
    }

    /// Runs a job that hashes passwords. Refused where as many as one member may have run or wait.
    pub async fn run_password<T: Send + 'static>(
        &self,
        account: Account,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Failure> {
        let _admitted = Admitted::new(&self.passwords, account)?;
        self.run(account, job).await
    }
}

impl Places {
    async fn take(places: &Arc<Self>, account: Account) -> Result<Place, Failure> {
        let coming = {
            let mut queue = places.queue();
            if queue.free > 0 {
                queue.free = queue.free.saturating_sub(1);
                return Ok(Place(Some(Arc::clone(places))));
            }
            let (sender, coming) = oneshot::channel();
            queue.push(account, sender);
            coming
        };
        let place = coming.await;
        place.map_err(|_| Failure::detailed(Fault::Internal, "the pool is closed"))
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives a place that has become free to whose turn it is; those who wait no longer are passed over.
    fn hand_on(places: Arc<Self>) {
        loop {
            let next = {
                let mut queue = places.queue();
                let next = queue.pop();
                if next.is_none() {
                    queue.free = queue.free.saturating_add(1);
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(Place(Some(Arc::clone(&places)))) {
                Ok(()) => return,
                Err(mut unwanted) => unwanted.0 = None,
            }
        }
    }
}

impl Queue {
    fn push(&mut self, account: Account, sender: oneshot::Sender<Place>) {
        let line = self.domains.entry(account.domain).or_default();
        if line.members.is_empty() {
            self.turns.push_back(account.domain);
        }
        let waiting = line.members.entry(account.member).or_default();
        if waiting.is_empty() {
            line.turns.push_back(account.member);
        }
        waiting.push_back(sender);
    }

    /// Whose turn it is. Its domain's next turn, and its own within the domain, come after those of all others.
    fn pop(&mut self) -> Option<oneshot::Sender<Place>> {
        let domain = self.turns.pop_front()?;
        let line = self.domains.get_mut(&domain)?;
        let member = line.turns.pop_front()?;
        let waiting = line.members.get_mut(&member)?;
        let next = waiting.pop_front();
        if waiting.is_empty() {
            line.members.remove(&member);
        } else {
            line.turns.push_back(member);
        }
        if line.members.is_empty() {
            self.domains.remove(&domain);
        } else {
            self.turns.push_back(domain);
        }
        next
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(places) = self.0.take() {
            Places::hand_on(places);
        }
    }
}

impl Admitted {
    fn new(passwords: &Arc<Mutex<HashMap<Account, usize>>>, account: Account) -> Result<Self, Failure> {
        let mut counts = passwords.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(account).or_default();
        if *count >= MOST_PASSWORDS {
            return Err(Fault::TooManyRequests.into());
        }
        *count = count.saturating_add(1);
        Ok(Self {
            passwords: Arc::clone(passwords),
            account,
        })
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let mut counts = self.passwords.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.account) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                counts.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Waker};
    use tokio::task::{JoinHandle, yield_now};

    const fn account(domain: u8, member: u8) -> Account {
        Account {
            domain: [domain; 16],
            member: [member; 16],
        }
    }

    /// Occupies a pool of one place until it is told to go on.
    async fn occupied(pool: &Heavy) -> (mpsc::Sender<()>, JoinHandle<()>) {
        let (go_on, wait) = mpsc::channel();
        let (started, has_started) = oneshot::channel();
        let pool = pool.clone();
        let running = tokio::spawn(async move {
            let job = move || {
                started.send(()).unwrap();
                wait.recv().unwrap();
            };
            assert!(pool.run(Account::default(), job).await.is_ok());
        });
        has_started.await.unwrap();
        (go_on, running)
    }

    async fn all(tasks: impl IntoIterator<Item = JoinHandle<bool>>) -> bool {
        let mut fine = true;
        for task in tasks {
            fine &= task.await.unwrap();
        }
        fine
    }

    #[tokio::test]
    async fn a_panic_ends_one_request_and_frees_its_place() {
        let pool = Heavy::threads(1);
        let failed = pool.run(account(1, 1), || std::panic::panic_any("gone")).await;
        assert!(failed.is_err_and(|f| f.fault() == Fault::Internal));
        assert!(pool.run(account(1, 1), || 7).await.is_ok_and(|seven| seven == 7));
    }

    #[tokio::test]
    async fn places_go_round_domains_and_within_a_domain_round_its_members() {
        let pool = Heavy::threads(1);
        let (go_on, running) = occupied(&pool).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        // One member of the first domain asks for five, then others come.
        let asked = [(1, 1), (1, 1), (1, 1), (1, 1), (1, 1), (1, 2), (1, 2), (2, 1), (3, 1)];
        let waiting = asked.map(|(domain, member)| {
            let (order, pool) = (Arc::clone(&order), pool.clone());
            let job = move || order.lock().unwrap().push((domain, member));
            tokio::spawn(async move { pool.run(account(domain, member), job).await.is_ok() })
        });
        yield_now().await;
        go_on.send(()).unwrap();
        assert!(all(waiting).await);
        running.await.unwrap();
        let expected = [(1, 1), (2, 1), (3, 1), (1, 2), (1, 1), (1, 2), (1, 1), (1, 1), (1, 1)];
        assert_eq!(*order.lock().unwrap(), expected);
        // All are gone, and the place is free.
        let places = pool.places.as_ref().unwrap();
        let queue = places.queue();
        assert!(queue.free == 1 && queue.turns.is_empty() && queue.domains.is_empty());
    }

    #[tokio::test]
    async fn whoever_waits_no_longer_takes_no_place() {
        let pool = Heavy::threads(1);
        let (go_on, running) = occupied(&pool).await;
        for _ in 0..100 {
            let waiting = pin!(pool.run(account(1, 1), || ()));
            assert!(waiting.poll(&mut Context::from_waker(Waker::noop())).is_pending());
        }
        go_on.send(()).unwrap();
        running.await.unwrap();
        assert!(pool.run(account(2, 1), || 7).await.is_ok_and(|seven| seven == 7));
        assert_eq!(pool.places.as_ref().unwrap().queue().free, 1);
    }

    #[tokio::test]
    async fn a_member_has_so_many_passwords_judged_at_a_time() {
        let pool = Heavy::threads(1);
        let (go_on, running) = occupied(&pool).await;
        let judge = |domain: u8, member: u8| {
            let pool = pool.clone();
            tokio::spawn(async move { pool.run_password(account(domain, member), || ()).await.is_ok() })
        };
        let judged: Vec<_> = (0..MOST_PASSWORDS).map(|_| judge(1, 1)).collect();
        yield_now().await;
        let refused = pool.run_password(account(1, 1), || ()).await;
        assert!(refused.is_err_and(|f| f.fault() == Fault::TooManyRequests));
        // Another is judged, and the same one's other work waits like everybody's.
        let other = judge(1, 2);
        let same = pool.clone();
        let keys = tokio::spawn(async move { same.run(account(1, 1), || ()).await.is_ok() });
        yield_now().await;
        assert!(!other.is_finished() && !keys.is_finished());
        go_on.send(()).unwrap();
        running.await.unwrap();
        assert!(all(judged).await && all([other, keys]).await);
        assert!(pool.run_password(account(1, 1), || ()).await.is_ok());
        assert!(pool.passwords.lock().unwrap().is_empty());
    }
}
