//! The queue in front of the password hasher. Pure: no clock, no threads.
//!
//! A job has a path of groups, from the widest to the narrowest: a network, an address in the network, an
//! account at the address. Groups take turns at every level. In a turn, a group gets one job for each of its
//! accounts with waiting jobs, up to the group's maximum. Three properties follow:
//!
//! - An account with many jobs delays only itself, not its neighbours or other networks.
//! - A network with many accounts gets more jobs than one with few, but no more than its maximum.
//! - A new group joins behind the waiting groups, so every job is served in the end.
//!
//! A full queue sheds the newest job of the most crowded group. The search goes level by level: the most
//! crowded group has the most waiting jobs per job that it gets in a turn. Of two equally crowded groups, the
//! one with more jobs sheds.

use std::collections::VecDeque;

/// A group on the path of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<K> {
    pub group: K,
    /// Maximum number of jobs that the group gets in a turn, at least 1.
    pub most: usize,
}

/// Identifies a waiting job.
#[derive(Debug)]
pub(super) struct Ticket<K> {
    path: Vec<Step<K>>,
    id: u64,
}

#[derive(Debug)]
pub(super) struct FairQueue<K, T> {
    capacity: usize,
    all: Group<K, T>,
    pushed: u64,
}

#[derive(Debug)]
struct Group<K, T> {
    most: usize,
    /// Jobs left in the current turn; 0 between turns.
    left_of_turn: usize,
    /// Number of jobs in this group, at any depth.
    size: usize,
    /// Jobs whose path ends here, oldest first.
    jobs: VecDeque<(u64, T)>,
    /// Groups with jobs, in the order of their turns.
    groups: VecDeque<(K, Group<K, T>)>,
}

impl<K: Clone + Eq, T> FairQueue<K, T> {
    /// `capacity` is the number of jobs that may wait.
    pub(super) fn new(capacity: usize) -> Self {
        Self { capacity, all: Group::new(usize::MAX), pushed: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.all.size
    }

    /// Adds a job. Returns its ticket, and the job that was shed, which may be the new one.
    pub(super) fn push(&mut self, path: Vec<Step<K>>, job: T) -> (Ticket<K>, Option<T>) {
        let id = self.pushed;
        self.pushed += 1;
        self.all.push(&path, id, job);
        let shed = if self.len() > self.capacity { self.all.shed() } else { None };
        (Ticket { path, id }, shed)
    }

    /// Removes and returns the job whose turn it is.
    pub(super) fn pop(&mut self) -> Option<T> {
        self.all.pop()
    }

    /// Removes a job whose caller no longer waits. Returns `None` if the job is no longer in the queue.
    pub(super) fn remove(&mut self, ticket: &Ticket<K>) -> Option<T> {
        self.all.remove(&ticket.path, ticket.id)
    }
}

impl<K: Clone + Eq, T> Group<K, T> {
    fn new(most: usize) -> Self {
        Self { most, left_of_turn: 0, size: 0, jobs: VecDeque::new(), groups: VecDeque::new() }
    }

    /// The number of jobs that the group gets in a turn: one for each account in it, up to its maximum.
    fn weight(&self) -> usize {
        match self.groups.len() {
            0 => 1,
            _ => self.groups.iter().map(|(_, group)| group.weight()).sum::<usize>().min(self.most),
        }
    }

    fn push(&mut self, path: &[Step<K>], id: u64, job: T) {
        self.size += 1;
        let Some((step, rest)) = path.split_first() else { return self.jobs.push_back((id, job)) };
        match self.groups.iter_mut().find(|(known, _)| *known == step.group) {
            Some((_, group)) => group.push(rest, id, job),
            None => {
                let mut group = Self::new(step.most);
                group.push(rest, id, job);
                self.groups.push_back((step.group.clone(), group));
            }
        }
    }

    fn pop(&mut self) -> Option<T> {
        let job = match self.jobs.pop_front() {
            Some((_, job)) => job,
            None => {
                let (_, group) = self.groups.front_mut()?;
                if group.left_of_turn == 0 {
                    group.left_of_turn = group.weight();
                }
                let job = group.pop()?;
                group.left_of_turn -= 1;
                if group.size == 0 {
                    self.groups.pop_front();
                } else if group.left_of_turn == 0 {
                    self.groups.rotate_left(1);
                }
                job
            }
        };
        self.size -= 1;
        Some(job)
    }

    /// Removes the newest job of the most crowded group. Among equally crowded groups, the largest sheds, and
    /// among those the last in turn. A newcomer is the last in turn and must not lose to every larger group.
    fn shed(&mut self) -> Option<T> {
        let crowd = |(_, group): &(K, Self)| (group.size, group.weight());
        let more = |one: (usize, usize), other: (usize, usize)| (one.0 * other.1).cmp(&(other.0 * one.1));
        let crowds = self.groups.iter().map(crowd).enumerate();
        let job = match crowds.max_by(|(_, one), (_, other)| more(*one, *other).then(one.0.cmp(&other.0))) {
            Some((nth, _)) => self.take_from(nth, Self::shed),
            None => self.jobs.pop_back().map(|(_, job)| job),
        };
        self.size -= usize::from(job.is_some());
        job
    }

    fn remove(&mut self, path: &[Step<K>], id: u64) -> Option<T> {
        let job = match path.split_first() {
            Some((step, rest)) => {
                let nth = self.groups.iter().position(|(known, _)| *known == step.group)?;
                self.take_from(nth, |group| group.remove(rest, id))
            }
            None => {
                let nth = self.jobs.iter().position(|(known, _)| *known == id)?;
                self.jobs.remove(nth).map(|(_, job)| job)
            }
        };
        self.size -= usize::from(job.is_some());
        job
    }

    /// Removes a job from the group at `nth`, and then the group if it is empty.
    fn take_from(&mut self, nth: usize, take: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let group = &mut self.groups.get_mut(nth)?.1;
        let job = take(group);
        if group.size == 0 {
            self.groups.remove(nth);
        }
        job
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    type Queue = FairQueue<&'static str, &'static str>;

    fn path(network: &'static str, account: &'static str) -> Vec<Step<&'static str>> {
        vec![Step { group: network, most: 4 }, Step { group: account, most: 1 }]
    }

    fn drain(queue: &mut Queue) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn jobs_of_one_group_are_served_in_the_order_they_came() {
        let mut queue = Queue::new(8);
        for job in ["first", "second", "third"] {
            queue.push(path("network", "account"), job);
        }
        assert_eq!(drain(&mut queue), ["first", "second", "third"]);
    }

    #[test]
    fn groups_take_turns_at_every_level_s59() {
        let mut queue = Queue::new(16);
        for job in ["a1", "a2", "a3"] {
            queue.push(path("office", "alice"), job);
        }
        queue.push(path("office", "bob"), "b1");
        queue.push(path("home", "carol"), "c1");
        queue.push(path("home", "carol"), "c2");
        assert_eq!(drain(&mut queue), ["a1", "b1", "c1", "a2", "c2", "a3"]);
    }

    #[test]
    fn a_network_gets_a_job_for_each_account_and_no_more_than_its_maximum_s59() {
        let mut queue = Queue::new(16);
        for account in ["1", "2", "3", "4", "5", "6"] {
            queue.push(path("crowd", account), account);
        }
        queue.push(path("home", "carol"), "c1");
        queue.push(path("home", "carol"), "c2");
        assert_eq!(drain(&mut queue), ["1", "2", "3", "4", "c1", "5", "6", "c2"]);
    }

    #[test]
    fn a_full_queue_sheds_the_newest_job_of_the_most_crowded_group_s59() {
        let mut queue = Queue::new(3);
        for job in ["a1", "a2", "a3"] {
            assert_eq!(queue.push(path("office", "alice"), job).1, None);
        }
        assert_eq!(queue.push(path("office", "alice"), "a4").1, Some("a4"));
        assert_eq!(queue.push(path("office", "bob"), "b1").1, Some("a3"));
        assert_eq!(queue.push(path("home", "carol"), "c1").1, Some("a2"));
        assert_eq!(queue.push(path("office", "bob"), "b2").1, Some("b2"));
        assert_eq!(drain(&mut queue), ["a1", "b1", "c1"]);
    }

    #[test]
    fn a_network_of_many_is_less_crowded_than_one_account_with_as_many_jobs_s59() {
        let mut queue = Queue::new(6);
        for account in ["1", "2", "3", "4"] {
            queue.push(path("office", account), account);
        }
        queue.push(path("home", "greedy"), "g1");
        queue.push(path("home", "greedy"), "g2");
        assert_eq!(queue.push(path("office", "5"), "5").1, Some("g2"));
    }

    #[test]
    fn a_removed_job_is_not_served() {
        let mut queue = Queue::new(3);
        let (ticket, _) = queue.push(path("office", "alice"), "a1");
        queue.push(path("office", "alice"), "a2");
        assert_eq!(queue.remove(&ticket), Some("a1"));
        assert_eq!(queue.remove(&ticket), None);
        assert_eq!(drain(&mut queue), ["a2"]);
        assert!(queue.len() == 0 && queue.all.groups.is_empty());
    }

    /// Counts the served jobs per account: ninety connections of one account, each of which retries at once,
    /// compete with nine other accounts.
    fn shares(network_of: impl Fn(&'static str) -> &'static str) -> HashMap<&'static str, usize> {
        let mut outside = vec!["greedy"; 90];
        outside.extend(["b", "c", "d", "e", "f", "g", "h", "i", "j"]);
        let mut queue = Queue::new(64);
        let mut served = HashMap::new();
        for _ in 0..1_000 {
            for job in std::mem::take(&mut outside) {
                if let Some(shed) = queue.push(path(network_of(job), job), job).1 {
                    assert_eq!(shed, "greedy");
                    outside.push(shed);
                }
            }
            let job = queue.pop().unwrap();
            *served.entry(job).or_default() += 1;
            outside.push(job);
        }
        served
    }

    #[test]
    fn ninety_greedy_connections_of_one_account_get_the_share_of_one_s59() {
        let in_one_network = shares(|_| "office");
        assert_eq!(in_one_network.len(), 10);
        assert!(in_one_network.values().all(|count| *count == 100), "{in_one_network:?}");
        // Nine accounts in another network, which gets four jobs in a turn.
        let apart = shares(|job| if job == "greedy" { "home" } else { "office" });
        assert_eq!(apart["greedy"], 200, "{apart:?}");
    }
}
