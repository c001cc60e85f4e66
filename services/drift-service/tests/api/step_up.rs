use contracts::{Acr, Claims, Role, Strength};
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Client, StatusCode};

use crate::app::App;

/// A caller who has a second factor, and showed it so many minutes ago.
fn shown(app: &App, role: Role, minutes: i64) -> Client {
    let claims = app.platform.tokens().verifier.verify(&app.token(role, 900)).unwrap();
    let auth_time = Some(claims.iat - minutes * 60);
    let strength = Strength { acr: Acr::Mfa, amr: vec!["otp".into()], auth_time, has_factor: true };
    let token = app.platform.tokens().keys.sign(&Claims { strength, ..claims }).unwrap();
    app.anonymous.with_token(&token)
}

async fn drifts(app: &App, severity: &str) -> Value {
    app.anonymous.get(&format!("/api/v1/drifts?severity={severity}&limit=2")).await.data()
}

#[rstest]
#[actix_web::test]
async fn a_critical_drift_is_approved_with_a_fresh_factor_only_if_the_setting_says_so(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::with(backend, &["--step-up-for-critical=true"]).await;
    app.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    let (critical, other) = (drifts(&app, "critical").await, drifts(&app, "warning").await);
    let path = |drift: &Value| format!("/api/v1/drifts/{}", drift["id"].as_str().unwrap());
    let reason = json!({"reason": "planned"});
    let approve = format!("{}/approve", path(&critical[0]));
    let bulk = json!({"ids": [critical[0]["id"]], "action": "approve", "reason": "planned"});
    // Also callers without a second factor: the setting demands one.
    for caller in [app.engineer(), app.admin(), shown(&app, Role::Engineer, 6)] {
        for refusal in [caller.post(&approve, &reason).await, caller.post("/api/v1/drifts/bulk", &bulk).await]
        {
            let error = refusal.error(StatusCode::FORBIDDEN, "STEP_UP_REQUIRED");
            assert_eq!(error["details"]["methods"], json!(["totp", "passkey"]));
        }
    }
    // Whatever makes nothing worse needs none.
    app.engineer().post(&format!("{}/approve", path(&other[0])), &reason).await.expect(StatusCode::OK);
    app.engineer().post(&format!("{}/reject", path(&critical[1])), &reason).await.expect(StatusCode::OK);
    shown(&app, Role::Engineer, 4).post(&approve, &reason).await.expect(StatusCode::OK);

    let usual = App::start(backend).await;
    usual.ingest("fakeaws_20/scan1.plan.json", "stack=demo").await.data();
    let critical = drifts(&usual, "critical").await;
    let approve = format!("{}/approve", path(&critical[0]));
    usual.engineer().post(&approve, &reason).await.expect(StatusCode::OK);
}

#[rstest]
#[actix_web::test]
async fn the_export_of_the_audit_log_needs_a_fresh_factor_of_an_admin_who_has_one(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
) {
    let app = App::start(backend).await;
    let export = "/api/v1/audit/export?format=json";
    let stale = shown(&app, Role::Admin, 6).get(export).await;
    stale.error(StatusCode::FORBIDDEN, "STEP_UP_REQUIRED");
    shown(&app, Role::Admin, 4).get(export).await.expect(StatusCode::OK);
    app.admin().get(export).await.expect(StatusCode::OK);
}
