-- The tables of the replaced Node stack, as its migrations leave them. The second part is its auth microservice.
CREATE TABLE accounts (
  id uuid PRIMARY KEY, name text NOT NULL, slug text NOT NULL UNIQUE, plan text NOT NULL DEFAULT 'free',
  status text NOT NULL DEFAULT 'active', trial_ends_at timestamptz, settings jsonb,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE users (
  id uuid PRIMARY KEY, email varchar(255) NOT NULL UNIQUE, password_hash text NOT NULL, first_name text,
  last_name text, avatar_url text, role text NOT NULL DEFAULT 'viewer', is_active boolean NOT NULL DEFAULT true,
  settings jsonb, api_key_hash text, api_key_last4 text, api_key_created_at timestamptz, deleted_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  last_login_at timestamptz, account_id uuid REFERENCES accounts);
CREATE TABLE sessions (
  id uuid PRIMARY KEY, user_id uuid NOT NULL REFERENCES users, refresh_token text NOT NULL UNIQUE, ip_address text,
  user_agent text, is_revoked boolean NOT NULL DEFAULT false, expires_at timestamptz NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(), last_used_at timestamptz);
CREATE TABLE drifts (
  id uuid PRIMARY KEY, resource_id text NOT NULL, resource_type text NOT NULL, region text NOT NULL,
  expected_state jsonb, actual_state jsonb, difference jsonb, severity text NOT NULL,
  cost_impact_monthly numeric(10,2) NOT NULL DEFAULT 0, status text NOT NULL DEFAULT 'detected',
  detected_at timestamptz NOT NULL, detected_by text NOT NULL DEFAULT 'scheduler', approved_at timestamptz,
  approved_by uuid, approval_reason text, rejected_at timestamptz, rejected_by uuid, rejection_reason text,
  resolved_at timestamptz, resolved_how text, created_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(), account_id uuid REFERENCES accounts);
CREATE TABLE alerts (
  id uuid PRIMARY KEY, drift_id uuid REFERENCES drifts, type text NOT NULL, severity text NOT NULL,
  title text NOT NULL, message text NOT NULL, is_read boolean NOT NULL DEFAULT false, read_at timestamptz,
  read_by uuid, created_at timestamptz NOT NULL DEFAULT now(), updated_at timestamptz NOT NULL DEFAULT now(),
  account_id uuid REFERENCES accounts);
CREATE TABLE audit_logs (
  id uuid PRIMARY KEY, drift_id uuid, action text NOT NULL, actor_id uuid, actor_email text, old_value jsonb,
  new_value jsonb, details jsonb, ip_address inet, user_agent text, created_at timestamptz NOT NULL DEFAULT now(),
  account_id uuid);

CREATE TYPE "UserRole" AS ENUM ('STARTER', 'ENGINEER', 'ADMIN');
CREATE TABLE "User" (
  id text PRIMARY KEY, name text, email text NOT NULL UNIQUE, password text NOT NULL,
  role "UserRole" NOT NULL DEFAULT 'STARTER', "lastActivityAt" timestamp(3), "createdAt" timestamp(3) NOT NULL,
  "updatedAt" timestamp(3) NOT NULL);
CREATE TABLE "Session" (
  id text PRIMARY KEY, "userId" text NOT NULL REFERENCES "User", "sessionToken" text NOT NULL UNIQUE,
  "deviceInfo" json, "ipAddress" text, "lastActivity" timestamp(3), "createdAt" timestamp(3) NOT NULL,
  "expiresAt" timestamp(3) NOT NULL);
