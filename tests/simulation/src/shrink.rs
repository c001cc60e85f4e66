//! Finds the shortest list of faults with which a plan still fails.

use crate::plan::Plan;
use crate::run::run;
use crate::world::Without;

/// Leaves out one fault after the other, as long as the run still fails.
pub fn shrink(mut plan: Plan, without: Without) -> Plan {
    let mut index = 0;
    while index < plan.faults.len() {
        let mut shorter = plan.clone();
        shorter.faults.remove(index);
        if run(&shorter, without, false).violation.is_some() {
            (plan, index) = (shorter, 0);
        } else {
            index += 1;
        }
    }
    plan
}
