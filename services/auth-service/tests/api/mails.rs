//! Mails as their recipients see them, from the mailbox of development.

use serde_json::{Value, json};
use testing::{Answer, wait_for};

use crate::app::App;

/// The link and the code of a mail.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub text: String,
    /// The page of the link, such as `reset-password`; empty without a link.
    pub page: String,
    pub token: String,
    pub code: String,
}

impl App {
    /// Returns all mails to an address, newest first.
    pub(crate) async fn mails_to(&self, email: &str) -> Vec<Received> {
        let mails = self.client.get("/api/auth/dev/mail").await;
        let mails = mails.data().as_array().unwrap().clone();
        mails.iter().filter(|mail| mail["to"] == email).map(read).collect()
    }

    /// Waits for a mail to an address whose link leads to a page.
    pub(crate) async fn mail(&self, email: &str, page: &str) -> Received {
        wait_for(&format!("a mail to {email} for {page}"), async || {
            self.mails_to(email).await.into_iter().find(|mail| mail.page == page)
        })
        .await
    }

    /// Waits until every requested mail is written, or turned out to need none, and sent.
    pub(crate) async fn all_mails_are_out(&self) {
        testing::eventually("all mails are out", async || {
            let unprepared = auth_service::link::entity::unprepared(&self.state.database, 1).await.unwrap();
            let (waiting, _) = auth_service::mail_queue::entity::backlog(&self.state.database).await.unwrap();
            unprepared.is_empty() && waiting == 0
        })
        .await;
    }

    pub(crate) async fn forgot(&self, email: &str) -> Answer {
        self.client.post("/api/auth/password/forgot", &json!({ "email": email })).await
    }

    pub(crate) async fn reset(&self, proof: Value, password: &str) -> Answer {
        let mut body = proof;
        body["newPassword"] = json!(password);
        self.client.post("/api/auth/password/reset", &body).await
    }
}

/// Returns the reason of a refused link.
pub(crate) fn reason(answer: &Answer) -> String {
    answer.json()["error"]["details"]["reason"].as_str().unwrap_or_default().to_owned()
}

fn read(mail: &Value) -> Received {
    let text = mail["text"].as_str().unwrap().to_owned();
    let link = text.split_whitespace().find(|word| word.contains("/#/")).unwrap_or_default();
    let (page, token) =
        link.split_once("/#/").and_then(|(_, rest)| rest.split_once("?token=")).unwrap_or_default();
    let digits = |word: &&str| word.len() == 3 && word.chars().all(|c| c.is_ascii_digit());
    let code = text.split_whitespace().filter(digits).take(2).collect::<String>();
    Received { page: page.into(), token: token.trim_end_matches(['.', '>', ')']).into(), code, text }
}
