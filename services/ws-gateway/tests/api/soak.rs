//! Lines that break all the time: every client has every event once and in order all the same.

use std::cell::RefCell;
use std::rc::Rc;

use contracts::events::alert::AlertClosed;
use serde_json::{Value, json};
use testing::{Proxy, eventually};
use uuid::Uuid;

use crate::app::App;
use crate::stock::Stock;

const CLIENTS: usize = 12;
const CUTS: usize = 8;
const EVENTS_BETWEEN_CUTS: usize = 15;

/// A stock client that always comes back, each time to the next of the gateways.
#[derive(Default)]
struct Client {
    heard: Vec<String>,
    resyncs: usize,
    ready: bool,
    recovered: usize,
}

async fn live(client: Rc<RefCell<Client>>, bases: Vec<String>, token: String) {
    let (mut private_id, mut offset) = (Value::Null, Value::Null);
    for base in bases.iter().cycle() {
        let Some(mut stock) = Stock::try_open(base, "").await else {
            tokio::task::yield_now().await;
            continue;
        };
        let auth = match &private_id {
            Value::Null => json!({ "token": token }),
            known => json!({ "token": token, "pid": known, "offset": offset }),
        };
        stock.send(&format!("40{auth}")).await;
        while let Ok(text) = stock.text().await {
            if let Some(answer) = text.strip_prefix("40") {
                let answer: Value = serde_json::from_str(answer).unwrap();
                let known = answer["pid"] == private_id;
                {
                    let mut client = client.borrow_mut();
                    client.recovered += usize::from(known);
                    client.resyncs += usize::from(!known && !private_id.is_null());
                }
                private_id = answer["pid"].clone();
                if !known {
                    stock.send("421[\"subscribe:alerts\"]").await;
                }
            } else if text.starts_with("431[") {
                client.borrow_mut().ready = true;
            } else if let Some(event) = text.strip_prefix("42") {
                let event: Value = serde_json::from_str(event).unwrap();
                if event[0] == "alert:closed" {
                    client.borrow_mut().heard.push(event[1]["id"].as_str().unwrap().into());
                }
                if let Some(Value::String(last)) = event.as_array().unwrap().last() {
                    offset = last.as_str().into();
                }
            }
        }
    }
}

#[actix_web::test]
async fn clients_whose_lines_break_all_the_time_hear_everything_once_and_in_order() {
    let app = App::start_two(&[]).await;
    let mut proxies = Vec::new();
    for gateway in &app.gateways {
        let address = gateway.client.base().strip_prefix("http://").unwrap().parse().unwrap();
        proxies.push(Proxy::start(address).await);
    }
    let bases: Vec<String> = proxies.iter().map(|proxy| format!("ws://{}", proxy.address())).collect();
    let clients: Vec<Rc<RefCell<Client>>> = (0..CLIENTS).map(|_| Rc::default()).collect();
    let mut tasks = Vec::new();
    for (index, client) in clients.iter().enumerate() {
        let mut bases = bases.clone();
        bases.rotate_left(index % 2);
        let token = app.token(&format!("user{index}"));
        tasks.push(tokio::task::spawn_local(live(Rc::clone(client), bases, token)));
    }
    eventually("all to have subscribed", async || clients.iter().all(|client| client.borrow().ready)).await;

    let mut emitted = Vec::new();
    for cut in 0..CUTS {
        for index in 0..EVENTS_BETWEEN_CUTS {
            let id = Uuid::new_v4();
            app.emit(AlertClosed { id }).await;
            emitted.push(id.to_string());
            if index == EVENTS_BETWEEN_CUTS / 2 {
                proxies[cut % 2].cut();
                tokio::task::yield_now().await;
                proxies[cut % 2].resume();
            }
        }
    }
    eventually("all to have heard everything", async || {
        clients.iter().all(|client| client.borrow().heard.len() >= emitted.len())
    })
    .await;
    for client in &clients {
        let client = client.borrow();
        assert_eq!(client.heard, emitted);
        assert_eq!(client.resyncs, 0);
        assert!(client.recovered > 0, "its line was never cut");
    }
    tasks.iter().for_each(|task| task.abort());
}
