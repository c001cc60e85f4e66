//! The line against a naive model that remembers every job.

use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
enum Step {
    Push(Vec<u8>),
    Pop,
    /// Takes out the n-th of the jobs that wait, counted around.
    Remove(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let path = prop::collection::vec(0..4u8, 3);
    let step = prop_oneof![
        4 => path.prop_map(Step::Push),
        2 => Just(Step::Pop),
        1 => any::<usize>().prop_map(Step::Remove),
    ];
    prop::collection::vec(step, 1..200)
}

/// The jobs that wait, with their paths, as a naive model keeps them.
fn count(waiting: &[(Vec<u8>, usize, Ticket<u8>)], prefix: &[u8]) -> usize {
    waiting.iter().filter(|(path, ..)| path.starts_with(prefix)).count()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_job_is_lost_and_the_line_never_exceeds_its_capacity(steps in steps(), capacity in 1..12usize) {
        let mut queue = FairQueue::new(capacity);
        let mut waiting = Vec::new();
        for (job, step) in steps.into_iter().enumerate() {
            match step {
                Step::Push(path) => {
                    let (ticket, shed) = queue.push(path.clone(), job);
                    waiting.push((path, job, ticket));
                    prop_assert_eq!(shed.is_some(), waiting.len() > capacity);
                    if let Some(shed) = shed {
                        let nth = waiting.iter().position(|(_, job, _)| *job == shed).unwrap();
                        let (path, ..) = &waiting[nth];
                        // No group beside one that it belonged to was more crowded.
                        for depth in 0..path.len() {
                            let own = count(&waiting, &path[..=depth]);
                            let largest = (0..4).map(|key| count(&waiting, &[&path[..depth], &[key]].concat()));
                            prop_assert_eq!(own, largest.max().unwrap());
                        }
                        waiting.remove(nth);
                    }
                }
                Step::Pop => {
                    let popped = queue.pop();
                    prop_assert_eq!(popped.is_some(), !waiting.is_empty());
                    waiting.retain(|(_, job, _)| Some(*job) != popped);
                }
                Step::Remove(nth) if !waiting.is_empty() => {
                    let (_, job, ticket) = waiting.remove(nth % waiting.len());
                    prop_assert_eq!(queue.remove(&ticket), Some(job));
                }
                Step::Remove(_) => {}
            }
            prop_assert_eq!(queue.len(), waiting.len());
        }
    }

    #[test]
    fn a_newcomer_waits_for_one_turn_of_every_group_at_most_s59(
        crowd in prop::collection::vec((0..4u8, 0..4u8), 0..64),
        floods in prop::collection::vec((0..4u8, 0..4u8), 0..64),
    ) {
        let mut queue = FairQueue::new(256);
        for (network, account) in crowd {
            queue.push(vec![network, account], false);
        }
        // A network that nobody else is in: at most one turn of each of the four others comes first.
        queue.push(vec![9, 9], true);
        let mut floods = floods.into_iter();
        let before = std::iter::from_fn(|| {
            floods.next().map(|(network, account)| queue.push(vec![network, account], false));
            queue.pop()
        });
        prop_assert!(before.take_while(|is_newcomer| !is_newcomer).count() <= 4);
    }
}
