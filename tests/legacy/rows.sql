-- A small installation of the replaced stack with all its peculiarities. The passwords of the first three users are
-- Correct-Horse-7 ($2b$), Correct-Horse-8 ($2a$) and Correct-Horse-9 ($2y$).
INSERT INTO accounts (id, name, slug) VALUES ('a0000000-0000-4000-8000-000000000001', 'Example', 'example');

INSERT INTO users (id, email, password_hash, first_name, last_name, role, is_active, api_key_hash, deleted_at,
  created_at, updated_at, last_login_at, account_id) VALUES
('00000000-0000-4000-8000-000000000001', 'Ada@Example.com', '$2b$04$Tdjh7pwc8TT5ay/BCHwO2epgaXyksK3fJhkdyLJI9p1i.MwWsG8Li',
  'Ada', 'Lovelace', 'admin', true, 'x', NULL, '2023-01-01T10:00:00Z', '2025-01-01T10:00:00Z', '2025-06-01T10:00:00Z',
  'a0000000-0000-4000-8000-000000000001'),
('00000000-0000-4000-8000-000000000002', 'grace@example.com', '$2a$04$7/K0oZEh/zYzFe1/hAM8cuu9bHeOPo/ECyI.sFPwKJWseSrBGYNn2',
  'Grace', NULL, 'engineer', true, NULL, NULL, '2023-01-02T10:00:00Z', '2025-01-02T10:00:00Z', NULL, NULL),
('00000000-0000-4000-8000-000000000003', 'joan@example.com', '$2y$04$i80T.75ASvpM7WoEnUDy0OB0StUWexOvFW9ttuN6kKFFtbFB22kbW',
  NULL, NULL, 'STARTER', true, NULL, NULL, '2023-01-03T10:00:00Z', '2025-01-03T10:00:00Z', NULL, NULL),
('00000000-0000-4000-8000-000000000004', 'ADA@example.com', '$2b$04$Tdjh7pwc8TT5ay/BCHwO2epgaXyksK3fJhkdyLJI9p1i.MwWsG8Li',
  'Other', 'Ada', 'viewer', true, NULL, NULL, '2023-01-04T10:00:00Z', '2025-01-04T10:00:00Z', '2024-01-01T10:00:00Z', NULL),
('00000000-0000-4000-8000-000000000005', 'gone@example.com', '$2b$04$Tdjh7pwc8TT5ay/BCHwO2epgaXyksK3fJhkdyLJI9p1i.MwWsG8Li',
  'Gone', NULL, 'viewer', true, NULL, '2024-05-05T00:00:00Z', '2023-01-05T10:00:00Z', '2025-01-05T10:00:00Z', NULL, NULL),
('00000000-0000-4000-8000-000000000006', 'off@example.com', 'md5:nonsense', 'Off', NULL, 'owner', false, NULL, NULL,
  '2023-01-06T10:00:00Z', '2025-01-06T10:00:00Z', NULL, NULL);

UPDATE users SET settings = '{"theme": "dark", "old": true}' WHERE email = 'grace@example.com';

INSERT INTO sessions (id, user_id, refresh_token, expires_at) VALUES
('50000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000001', 'r1', now() + interval '1 day'),
('50000000-0000-4000-8000-000000000002', '00000000-0000-4000-8000-000000000001', 'r2', now() - interval '1 day');

INSERT INTO drifts (id, resource_id, resource_type, region, expected_state, actual_state, difference, severity,
  cost_impact_monthly, status, detected_at, approved_at, approved_by, approval_reason, rejected_at, rejected_by,
  rejection_reason, resolved_at, resolved_how, updated_at) VALUES
('d0000000-0000-4000-8000-000000000001', 'i-1', 'EC2', 'eu-west-1', '{"type": "t3.micro", "password": "hunter2-of-old"}',
  '{"type": "t3.large", "password": "hunter2-of-old"}', '{"type": {"expected": "t3.micro", "actual": "t3.large"}}',
  'critical', 120.55, 'detected', '2025-05-01T10:00:00Z', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2025-05-01T10:00:00Z'),
('d0000000-0000-4000-8000-000000000002', 'i-2', 'EC2', 'eu-west-1', '{"type": "t3.micro"}', '{"type": "t3.nano"}', NULL,
  'warning', 0, 'triaged', '2025-05-02T10:00:00Z', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2025-05-02T10:00:00Z'),
('d0000000-0000-4000-8000-000000000003', 'db-1', 'RDS', 'unknown', '{"size": 20}', '{"size": 40}', NULL, 'warning', 12.5,
  'approved', '2025-05-03T10:00:00Z', '2025-05-03T11:00:00Z', '00000000-0000-4000-8000-000000000001',
  'grown for the launch, key AKIAIOSFODNN7OLDKEY1', NULL, NULL, NULL, NULL, NULL, '2025-05-03T11:00:00Z'),
('d0000000-0000-4000-8000-000000000004', 'b-1', 'S3', 'eu-west-1', '{"acl": "private"}', '{"acl": "public-read"}', NULL,
  'critical', 0, 'rejected', '2025-05-04T10:00:00Z', NULL, NULL, NULL, '2025-05-04T12:00:00Z',
  '00000000-0000-4000-8000-000000000002', 'must never be public', NULL, NULL, '2025-05-04T12:00:00Z'),
('d0000000-0000-4000-8000-000000000005', 'sg-1', 'SECURITY_GROUP', 'eu-west-1', '{"port": 22}', '{"port": 23}', NULL,
  'info', 0, 'resolved', '2025-05-05T10:00:00Z', NULL, NULL, NULL, NULL, NULL, NULL, '2025-05-06T10:00:00Z', 'manual',
  '2025-05-06T10:00:00Z'),
-- Seen again after it was approved, in the same state and in another one.
('d0000000-0000-4000-8000-000000000006', 'db-1', 'RDS', 'eu-west-1', '{"size": 20}', '{"size": 40}', NULL, 'warning', 0,
  'detected', '2025-05-07T10:00:00Z', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '2025-05-07T10:00:00Z'),
('d0000000-0000-4000-8000-000000000007', 'b-1', 'S3', 'eu-west-1', '{"acl": "private"}', '{"acl": "public-read-write"}',
  NULL, 'critical', 0, 'detected', '2025-05-08T10:00:00Z', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
  '2025-05-08T10:00:00Z'),
-- No states, an unknown severity and an unknown status.
('d0000000-0000-4000-8000-000000000008', 'role-1', 'IAM_ROLE', 'eu-west-1', NULL, NULL,
  '{"path": {"expected": "/a/", "actual": "/b/"}}', 'urgent', 0, 'snoozed', '2025-05-09T10:00:00Z', NULL, NULL, NULL, NULL,
  NULL, NULL, NULL, NULL, '2025-05-09T10:00:00Z');

INSERT INTO alerts (id, drift_id, type, severity, title, message, is_read, read_at, read_by, created_at) VALUES
('e0000000-0000-4000-8000-000000000001', 'd0000000-0000-4000-8000-000000000001', 'drift_detected', 'critical', 'i-1 drifts',
  'i-1 has another type; password=hunter3-of-old', true, '2025-05-01T11:00:00Z', '00000000-0000-4000-8000-000000000002', '2025-05-01T10:00:00Z'),
('e0000000-0000-4000-8000-000000000002', 'd0000000-0000-4000-8000-000000000001', 'drift_detected', 'critical', 'i-1 again',
  'i-1 has another type', false, NULL, NULL, '2025-04-01T10:00:00Z'),
('e0000000-0000-4000-8000-000000000003', 'd0000000-0000-4000-8000-000000000003', 'approval_needed', 'warning', 'db-1 grew',
  'db-1 has 40', true, '2025-05-03T11:00:00Z', '00000000-0000-4000-8000-000000000001', '2025-05-03T10:00:00Z'),
('e0000000-0000-4000-8000-000000000004', NULL, 'cost_spike', 'severe', 'costs', 'more than usual', false, NULL, NULL,
  '2025-05-05T10:00:00Z');

INSERT INTO audit_logs (id, drift_id, action, actor_id, actor_email, old_value, new_value, details, ip_address, created_at)
VALUES
('f0000000-0000-4000-8000-000000000001', 'd0000000-0000-4000-8000-000000000003', 'DRIFT_APPROVED',
  '00000000-0000-4000-8000-000000000001', 'Ada@Example.com', '"detected"', '"approved"',
  '{"reason": "grown for the launch", "token": "ghp_0123456789abcdefghijklmnopqrstuvwxyz"}', '10.0.0.1',
  '2025-05-03T11:00:00Z'),
('f0000000-0000-4000-8000-000000000002', NULL, 'USER_LOGIN', NULL, 'grace@example.com', NULL, NULL, NULL, NULL,
  '2025-05-04T09:00:00Z');

INSERT INTO "User" (id, name, email, password, role, "lastActivityAt", "createdAt", "updatedAt") VALUES
('ck9user0001', 'Katherine', 'katherine@example.com', '$2b$04$Tdjh7pwc8TT5ay/BCHwO2epgaXyksK3fJhkdyLJI9p1i.MwWsG8Li',
  'STARTER', '2025-06-01T10:00:00.123', '2024-01-01T10:00:00', '2025-01-01T10:00:00'),
('ck9user0002', 'Grace again', 'Grace@example.com', '$2b$04$Tdjh7pwc8TT5ay/BCHwO2epgaXyksK3fJhkdyLJI9p1i.MwWsG8Li',
  'ADMIN', NULL, '2024-01-01T10:00:00', '2025-01-01T10:00:00');
INSERT INTO "Session" (id, "userId", "sessionToken", "createdAt", "expiresAt") VALUES
('s1', 'ck9user0001', 't1', now(), now() + interval '1 day');
