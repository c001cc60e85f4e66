//! The faults that the simulator has found, each with the shortest list of faults that showed it.

use std::time::Duration;

use crate::plan::{Fault, Plan, Planned};
use crate::run::run;
use crate::world::Without;

fn at(millis: u64, fault: Fault) -> Planned {
    Planned { at: ms(millis), fault }
}

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn lost_unheard() -> [Planned; 2] {
    [
        at(3_933, Fault::RedisDown { down: ms(956), is_emptied: false }),
        at(4_920, Fault::FailOver { is_complete: false, is_crash: false }),
    ]
}

#[track_caller]
fn assert_holds(seed: u64, faults: Vec<Planned>) {
    let outcome = run(&Plan { seed, faults }, Without::Nothing, true);
    assert_eq!(outcome.violation, None, "{}", outcome.timeline);
}

#[test]
fn a_process_that_has_nothing_to_append_is_up_again_once_redis_has_memory() {
    let faults = vec![
        at(5_670, Fault::RedisDown { down: ms(88), is_emptied: false }),
        at(6_111, Fault::EvictLog),
        at(6_159, Fault::Cut { process: 1 }),
        at(8_586, Fault::OutOfMemory { duration: ms(568) }),
        at(8_962, Fault::RedisDown { down: ms(1_223), is_emptied: true }),
    ];
    assert_holds(13, faults);
}

#[test]
fn a_message_of_a_log_that_was_lost_does_not_replace_something_newer() {
    let faults = vec![
        at(1_917, Fault::Partition { process: 6, duration: ms(2_865) }),
        at(3_951, Fault::Kill { process: 3, down: ms(55) }),
        at(4_437, Fault::Flush),
        at(4_594, Fault::Flush),
    ];
    assert_holds(3, faults);
}

#[test]
fn a_gateway_that_starts_without_redis_learns_the_marks_that_are_restored_before_it_subscribes() {
    let faults = vec![
        at(8_647, Fault::Stop { process: 5, down: ms(437) }),
        at(9_006, Fault::RedisDown { down: ms(439), is_emptied: true }),
    ];
    assert_holds(0, faults);
}

#[test]
fn a_log_that_was_rolled_back_is_noticed_although_no_connection_breaks() {
    assert_holds(1_479, vec![at(6_431, Fault::FailOver { is_complete: false, is_crash: false })]);
}

#[test]
fn an_event_that_was_lost_before_anybody_heard_it_is_missed_by_the_process_that_appended_it() {
    assert_holds(0, lost_unheard().into());
}

#[test]
fn a_late_append_does_not_bring_something_old_into_a_new_log() {
    let faults = vec![
        at(922, Fault::Double { duration: ms(1_220) }),
        at(1_314, Fault::OutOfMemory { duration: ms(1_433) }),
        at(1_761, Fault::Slow { duration: ms(5_540), latency: ms(2_205) }),
        at(2_276, Fault::Partition { process: 0, duration: ms(1_687) }),
        at(7_182, Fault::Partition { process: 3, duration: ms(3_845) }),
        at(8_112, Fault::Partition { process: 6, duration: ms(1_202) }),
        at(9_297, Fault::Flush),
    ];
    assert_holds(650, faults);
}

#[test]
fn a_subscription_that_is_acknowledged_outlives_its_gateway() {
    let faults = vec![
        at(3_039, Fault::Cut { process: 3 }),
        at(6_342, Fault::Partition { process: 4, duration: ms(6_084) }),
        at(6_375, Fault::Kill { process: 4, down: ms(826) }),
    ];
    assert_holds(1_681, faults);
}

#[test]
fn a_subscription_that_redis_refused_to_store_is_stored_and_acknowledged_soon() {
    let faults = vec![
        at(2_000, Fault::Double { duration: ms(4_616) }),
        at(4_715, Fault::Partition { process: 0, duration: ms(2_449) }),
        at(7_490, Fault::OutOfMemory { duration: ms(263) }),
    ];
    assert_holds(196, faults);
}

#[test]
fn an_epoch_that_two_failovers_bring_back_ends_again() {
    let faults = vec![
        at(2_648, Fault::Partition { process: 6, duration: ms(3_960) }),
        at(6_479, Fault::FailOver { is_complete: false, is_crash: true }),
        at(6_669, Fault::FailOver { is_complete: false, is_crash: false }),
    ];
    let plan = Plan { seed: 40_199, faults };
    assert!(run(&plan, Without::PastEpochs, false).violation.is_some());
    assert_holds(plan.seed, plan.faults);
}

#[test]
fn a_client_gets_its_response_although_a_burst_fills_its_queue() {
    let faults = vec![
        at(2_148, Fault::RedisDown { down: ms(983), is_emptied: false }),
        at(3_395, Fault::Rollbacks { duration: ms(2_897) }),
        at(5_517, Fault::Slow { duration: ms(1_890), latency: ms(1_501) }),
        at(8_379, Fault::Forge { count: 3 }),
        at(8_634, Fault::Notes { client: 0, count: 95, latency: ms(539) }),
    ];
    assert_holds(105_771, faults);
}

#[test]
fn equal_plans_give_equal_runs_whatever_runs_beside_them() {
    // In the second one, tokio chooses which of two tasks it wakes first.
    let told = |seed| run(&Plan::of(seed), Without::Nothing, true);
    let runs = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|thread| scope.spawn(move || told([7, 10_392][thread % 2]))).collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(!runs[0].timeline.is_empty() && runs[0] == runs[2] && runs[1] == runs[3] && runs[0] != runs[1]);
}

#[test]
fn a_plan_that_fails_is_shrunk_to_the_faults_that_matter() {
    // Two relays publish the same event in any run, so that no fault matters.
    let plan = Plan { seed: 0, faults: lost_unheard().into() };
    assert!(run(&plan, Without::IdempotentAppend, false).violation.is_some());
    assert_eq!(crate::shrink(plan, Without::IdempotentAppend).faults, []);
}

#[test]
fn a_client_that_resumes_late_gets_no_event_again_by_another_room() {
    let faults = vec![
        at(5_492, Fault::Stop { process: 4, down: ms(1_439) }),
        at(5_523, Fault::ClientStall { client: 1, duration: ms(4_387) }),
    ];
    assert_holds(111_016, faults);
}
