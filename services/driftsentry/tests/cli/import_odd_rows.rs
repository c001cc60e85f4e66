//! The import of rows whose values we cannot keep.

use rstest::rstest;
use testing::Backend;

use crate::import_legacy::Move;
use crate::said;

/// Rows that PostgreSQL allows, and whose values we cannot keep.
const ODD: &str = "
    INSERT INTO users (id, email, password_hash, created_at) VALUES
      (gen_random_uuid(), 'late@example.com', 'x', 'infinity');
    INSERT INTO accounts (id, name, slug) VALUES
      ('a0000000-0000-4000-8000-000000000001', 'A', 'acme'), ('a0000000-0000-4000-8000-000000000002', 'B', 'beta');
    INSERT INTO drifts (id, resource_id, resource_type, region, expected_state, actual_state, severity, status,
      cost_impact_monthly, detected_at, account_id) VALUES
      ('d0000000-0000-4000-8000-000000000001', 'early', 'EC2', 'r', '{}', '{}', 'info', 'detected', 0, '-infinity', NULL),
      ('d0000000-0000-4000-8000-000000000002', 'nan', 'EC2', 'r', '{\"a\": 1}', '{\"a\": 2}', 'info', 'detected', 'NaN', now(), NULL),
      ('d0000000-0000-4000-8000-000000000003', 'dear', 'EC2', 'r', '{\"a\": 1}', '{\"a\": 2}', 'info', 'detected', 99999999.99, now(), NULL),
      ('d0000000-0000-4000-8000-000000000004', 'huge', 'EC2', 'r', '{\"a\": 1}', ('{\"a\": 1' || repeat('0', 400) || '}')::jsonb, 'info', 'detected', 0, now(), NULL),
      ('d0000000-0000-4000-8000-000000000005', 'deep', 'EC2', 'r', '{}', (repeat('[', 900) || repeat(']', 900))::jsonb, 'info', 'detected', 0, now(), NULL),
      ('d0000000-0000-4000-8000-000000000006', repeat('a', 1000) || ' password=hunter2', 'EC2', 'r', '{\"a\": 1}', '{\"a\": 2}', 'info', 'detected', 0, now(), NULL),
      ('d0000000-0000-4000-8000-000000000007', 'admin', 'IAM_ROLE', 'r', '{\"a\": 1}', '{\"a\": 2}', 'info', 'detected', 0, now(), 'a0000000-0000-4000-8000-000000000001'),
      ('d0000000-0000-4000-8000-000000000008', 'admin', 'IAM_ROLE', 'r', '{\"a\": 1}', '{\"a\": 2}', 'info', 'detected', 0, now(), 'a0000000-0000-4000-8000-000000000002'),
      ('d0000000-0000-4000-8000-000000000009', 'vague', 'EC2', 'r', NULL, NULL, 'info', 'detected', 0, now(), NULL),
      ('d0000000-0000-4000-8000-000000000010', 'gone', 'EC2', 'r', '{\"a\": 1}', '{\"a\": 123456789012345678901234}', 'info', 'resolved', 0, now(), NULL);
    UPDATE drifts SET difference = '{\"env.3.value\": {\"expected\": \"hunter2\", \"actual\": \"hunter3\"}}' WHERE resource_id = 'vague';
    UPDATE drifts SET resolved_how = 'remediated' WHERE resource_id = 'gone';
    INSERT INTO alerts (id, type, severity, title, message) VALUES
      (gen_random_uuid(), 'drift_detected', 'info', repeat('t', 5000), repeat('m', 50000));
    INSERT INTO audit_logs (id, action, new_value) VALUES (gen_random_uuid(), repeat('a', 5000), '{\"actual_state\": {\"s\": \"x\"}}')";

#[rstest]
#[tokio::test]
async fn odd_rows_are_reported_and_stop_nothing(#[values(Backend::Memory, Backend::Real)] backend: Backend) {
    let moved = Move::new(backend, ODD).await;
    let imported = moved.import(&[]);
    let report = said(&imported);
    assert!(imported.status.success(), "{report}");
    for line in [
        "cannot be read; not imported",
        "drifts: 9 imported",
        "nan",
        "dear",
        "have states that cannot be kept",
        "gone: remediated",
        "alerts: 1 imported",
        "audit rows: 1 imported",
    ] {
        assert!(report.contains(line), "{line} in {report}");
    }
    let rows = moved.rows().await;
    let text = format!("{rows:?}");
    assert!(!text.contains("hunter2") && !report.contains("hunter2"), "a secret was copied");
    assert!(!text.contains("actual_state"), "a state is in the audit log");
    assert!(text.contains("123456789012345678901234"), "a number lost its digits");
    let live = rows["drift.drifts"].iter().filter(|row| row.contains("IAM_ROLE") && row.contains("detected"));
    assert_eq!(live.count(), 2, "one name in two accounts is two resources");
}
