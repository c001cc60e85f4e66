//! Compares the queue with a naive model that remembers every job.

use proptest::prelude::*;

use super::*;

/// Maximum number of jobs in a turn of a group, by depth.
const MOST: [usize; 3] = [4, 2, 1];

#[derive(Clone, Debug)]
enum Action {
    Push(Vec<u8>),
    Pop,
    /// Removes the n-th waiting job, modulo their number.
    Remove(usize),
}

fn actions() -> impl Strategy<Value = Vec<Action>> {
    let keys = prop::collection::vec(0..4u8, MOST.len());
    let action = prop_oneof![
        4 => keys.prop_map(Action::Push),
        2 => Just(Action::Pop),
        1 => any::<usize>().prop_map(Action::Remove),
    ];
    prop::collection::vec(action, 1..200)
}

fn path(keys: &[u8]) -> Vec<Step<u8>> {
    keys.iter().zip(MOST).map(|(key, most)| Step { group: *key, most }).collect()
}

/// The jobs that wait, with the keys of their paths.
struct Model(Vec<(Vec<u8>, usize, Ticket<u8>)>);

impl Model {
    fn size(&self, prefix: &[u8]) -> usize {
        self.0.iter().filter(|(keys, ..)| keys.starts_with(prefix)).count()
    }

    fn weight(&self, prefix: &[u8]) -> usize {
        if self.size(prefix) == 0 || prefix.len() == MOST.len() {
            return self.size(prefix).min(1);
        }
        let inside = (0..4).map(|key| self.weight(&[prefix, &[key]].concat())).sum::<usize>();
        inside.min(MOST[prefix.len() - 1])
    }

    /// Waiting jobs per job that the group gets in a turn.
    fn crowd(&self, prefix: &[u8]) -> f64 {
        self.size(prefix) as f64 / self.weight(prefix).max(1) as f64
    }
}

#[test]
fn a_newcomer_is_served_while_small_networks_keep_the_queue_full_s59() {
    // 18 networks with one job for each of four accounts; every connection retries at once.
    let crowd = (0..72).map(|nth| vec![nth / 4, nth % 4]).collect::<Vec<_>>();
    let newcomer = vec![200, 0];
    let (mut queue, mut served) = (FairQueue::new(64), 0);
    let mut outside = [crowd, vec![newcomer.clone()]].concat();
    for _ in 0..3_000 {
        for keys in std::mem::take(&mut outside) {
            outside.extend(queue.push(path(&keys), keys).1);
        }
        let keys = queue.pop().unwrap();
        served += usize::from(keys == newcomer);
        outside.push(keys);
    }
    assert!(served >= 3_000 / 73, "{served}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_job_is_lost_and_the_most_crowded_group_sheds(actions in actions(), capacity in 1..12usize) {
        let mut queue = FairQueue::new(capacity);
        let mut model = Model(Vec::new());
        for (job, action) in actions.into_iter().enumerate() {
            match action {
                Action::Push(keys) => {
                    let (ticket, shed) = queue.push(path(&keys), job);
                    model.0.push((keys, job, ticket));
                    prop_assert_eq!(shed.is_some(), model.0.len() > capacity);
                    if let Some(shed) = shed {
                        let nth = model.0.iter().position(|(_, job, _)| *job == shed).unwrap();
                        let keys = &model.0[nth].0;
                        for depth in 0..keys.len() {
                            let beside = (0..4).map(|key| model.crowd(&[&keys[..depth], &[key]].concat()));
                            prop_assert_eq!(model.crowd(&keys[..=depth]), beside.fold(0.0, f64::max));
                        }
                        model.0.remove(nth);
                    }
                }
                Action::Pop => {
                    let popped = queue.pop();
                    prop_assert_eq!(popped.is_some(), !model.0.is_empty());
                    model.0.retain(|(_, job, _)| Some(*job) != popped);
                }
                Action::Remove(nth) if !model.0.is_empty() => {
                    let (_, job, ticket) = model.0.remove(nth % model.0.len());
                    prop_assert_eq!(queue.remove(&ticket), Some(job));
                }
                Action::Remove(_) => {}
            }
            prop_assert_eq!(queue.len(), model.0.len());
        }
    }

    #[test]
    fn a_newcomer_waits_for_one_turn_of_every_group_at_most_s59(
        crowd in prop::collection::vec(prop::collection::vec(0..4u8, 3), 0..64),
        floods in prop::collection::vec(prop::collection::vec(0..4u8, 3), 0..64),
    ) {
        let mut queue = FairQueue::new(256);
        for keys in crowd {
            queue.push(path(&keys), false);
        }
        // The newcomer is alone in its network. Each of the four other networks gets four jobs in a turn.
        queue.push(path(&[9, 9, 9]), true);
        let mut floods = floods.into_iter();
        let before = std::iter::from_fn(|| {
            floods.next().map(|keys| queue.push(path(&keys), false));
            queue.pop()
        });
        prop_assert!(before.take_while(|is_newcomer| !is_newcomer).count() <= 4 * MOST[0]);
    }
}
