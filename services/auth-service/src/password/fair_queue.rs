//! The line in front of the password hasher. Pure: no clock, no threads.
//!
//! A job has a path, from the widest group that it belongs to, to the narrowest: a network, an address in
//! the network, an account at the address. Groups take turns at every level. A group with many jobs
//! therefore delays itself and not the groups beside it. A new group joins behind those that wait, so
//! every job is served in the end.
//!
//! When the line is full, the newest job of the most crowded group leaves it, level by level.

use std::collections::VecDeque;

/// Names a waiting job.
#[derive(Debug)]
pub struct Ticket<K> {
    path: Vec<K>,
    id: u64,
}

#[derive(Debug)]
pub struct FairQueue<K, T> {
    capacity: usize,
    all: Group<K, T>,
    pushed: u64,
}

#[derive(Debug)]
struct Group<K, T> {
    /// Number of jobs in this group, at any depth.
    size: usize,
    /// Jobs whose path ends here, oldest first.
    jobs: VecDeque<(u64, T)>,
    /// Groups with jobs, in the order of their turns.
    groups: VecDeque<(K, Group<K, T>)>,
}

impl<K: Clone + Eq, T> FairQueue<K, T> {
    /// `capacity` is the number of jobs that may wait.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, all: Group::new(), pushed: 0 }
    }

    pub fn len(&self) -> usize {
        self.all.size
    }

    /// Adds a job. Returns its ticket, and the job that had to leave, which may be the same.
    pub fn push(&mut self, path: Vec<K>, job: T) -> (Ticket<K>, Option<T>) {
        let id = self.pushed;
        self.pushed += 1;
        self.all.push(&path, id, job);
        let shed = if self.len() > self.capacity { self.all.shed() } else { None };
        (Ticket { path, id }, shed)
    }

    /// Takes out the job whose turn it is.
    pub fn pop(&mut self) -> Option<T> {
        self.all.pop()
    }

    /// Takes out a job that no longer wants to wait. `None` if the job has left the line already.
    pub fn remove(&mut self, ticket: &Ticket<K>) -> Option<T> {
        self.all.remove(&ticket.path, ticket.id)
    }
}

impl<K: Clone + Eq, T> Group<K, T> {
    fn new() -> Self {
        Self { size: 0, jobs: VecDeque::new(), groups: VecDeque::new() }
    }

    fn push(&mut self, path: &[K], id: u64, job: T) {
        self.size += 1;
        let Some((key, rest)) = path.split_first() else { return self.jobs.push_back((id, job)) };
        match self.groups.iter_mut().find(|(known, _)| known == key) {
            Some((_, group)) => group.push(rest, id, job),
            None => {
                let mut group = Self::new();
                group.push(rest, id, job);
                self.groups.push_back((key.clone(), group));
            }
        }
    }

    fn pop(&mut self) -> Option<T> {
        let job = match self.jobs.pop_front() {
            Some((_, job)) => Some(job),
            None => {
                let (key, mut group) = self.groups.pop_front()?;
                let job = group.pop();
                if group.size > 0 {
                    self.groups.push_back((key, group));
                }
                job
            }
        };
        self.size -= usize::from(job.is_some());
        job
    }

    /// Takes out the newest job of the most crowded group. Of groups of one size, the last in turn sheds.
    fn shed(&mut self) -> Option<T> {
        let crowded = (0..self.groups.len()).max_by_key(|nth| self.groups[*nth].1.size);
        let job = match crowded {
            Some(nth) => self.take_from(nth, Self::shed),
            None => self.jobs.pop_back().map(|(_, job)| job),
        };
        self.size -= usize::from(job.is_some());
        job
    }

    fn remove(&mut self, path: &[K], id: u64) -> Option<T> {
        let job = match path.split_first() {
            Some((key, rest)) => {
                let nth = self.groups.iter().position(|(known, _)| known == key)?;
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

    /// Takes a job out of the group at `nth`, and drops the group if it is empty then.
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

    fn drain(queue: &mut Queue) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn jobs_of_one_group_are_served_in_the_order_they_came() {
        let mut queue = Queue::new(8);
        for job in ["first", "second", "third"] {
            queue.push(vec!["network", "account"], job);
        }
        assert_eq!(drain(&mut queue), ["first", "second", "third"]);
    }

    #[test]
    fn groups_take_turns_at_every_level_s59() {
        let mut queue = Queue::new(16);
        for job in ["a1", "a2", "a3"] {
            queue.push(vec!["office", "alice"], job);
        }
        queue.push(vec!["office", "bob"], "b1");
        queue.push(vec!["home", "carol"], "c1");
        queue.push(vec!["home", "carol"], "c2");
        assert_eq!(drain(&mut queue), ["a1", "c1", "b1", "c2", "a2", "a3"]);
    }

    #[test]
    fn a_full_line_sheds_the_newest_job_of_the_most_crowded_group_s59() {
        let mut queue = Queue::new(3);
        for job in ["a1", "a2", "a3"] {
            assert_eq!(queue.push(vec!["office", "alice"], job).1, None);
        }
        assert_eq!(queue.push(vec!["office", "alice"], "a4").1, Some("a4"));
        assert_eq!(queue.push(vec!["office", "bob"], "b1").1, Some("a3"));
        assert_eq!(queue.push(vec!["home", "carol"], "c1").1, Some("a2"));
        assert_eq!(queue.push(vec!["office", "bob"], "b2").1, Some("b2"));
        assert_eq!(drain(&mut queue), ["a1", "c1", "b1"]);
    }

    #[test]
    fn a_job_that_left_is_not_served() {
        let mut queue = Queue::new(3);
        let (ticket, _) = queue.push(vec!["office", "alice"], "a1");
        queue.push(vec!["office", "alice"], "a2");
        assert_eq!(queue.remove(&ticket), Some("a1"));
        assert_eq!(queue.remove(&ticket), None);
        assert_eq!(drain(&mut queue), ["a2"]);
        assert!(queue.len() == 0 && queue.all.groups.is_empty());
    }

    /// The attack of issue 15: 90 connections of one account, each of which asks again at once.
    #[test]
    fn ninety_greedy_connections_of_one_account_get_the_share_of_one_s59() {
        const OTHERS: [&str; 9] = ["b", "c", "d", "e", "f", "g", "h", "i", "j"];
        let mut queue = Queue::new(64);
        let mut greedy_outside = 90;
        let mut others_outside = OTHERS.to_vec();
        let mut served = HashMap::<_, usize>::new();
        for _ in 0..1_000 {
            for _ in 0..std::mem::take(&mut greedy_outside) {
                if queue.push(vec!["office", "greedy"], "greedy").1.is_some() {
                    greedy_outside += 1;
                }
            }
            for other in others_outside.drain(..) {
                match queue.push(vec!["office", other], other).1 {
                    Some("greedy") => greedy_outside += 1,
                    shed => assert_eq!(shed, None),
                }
            }
            let job = queue.pop().unwrap();
            *served.entry(job).or_default() += 1;
            match job {
                "greedy" => greedy_outside += 1,
                other => others_outside.push(other),
            }
        }
        assert_eq!(served["greedy"], 100, "{served:?}");
        assert!(OTHERS.iter().all(|other| served[other] == 100), "{served:?}");
    }
}
