//! Every way in which a connection ends, on every transport: the close code, and what is counted.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use rstest::rstest;
use serde_json::{Value, json};
use testing::{Backend, Socket, eventually};

use crate::app::App;
use crate::client::{Client, Transport};
use crate::stock::Stock;

const DOCUMENT: &str = include_str!("../../../../docs/API.md");

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Goodbye,
    BrokenLine,
    Silence,
    Garbage,
    TooLarge,
    NoToken,
    BadToken,
    OtherBeforeToken,
    SaysNothing,
    Expiry,
    Revocation,
    TakeOver,
    Flood,
    TooManySockets,
    DoesNotRead,
    Drain,
    LateInDrain,
}

/// The counted close code.
const WAYS: [(Way, u16); 17] = [
    (Way::Goodbye, 1005),
    (Way::BrokenLine, 1006),
    (Way::Silence, 1006),
    (Way::Garbage, 4400),
    (Way::TooLarge, 4413),
    (Way::NoToken, 4401),
    (Way::BadToken, 4401),
    (Way::OtherBeforeToken, 4401),
    (Way::SaysNothing, 4408),
    (Way::Expiry, 4401),
    (Way::Revocation, 4403),
    (Way::TakeOver, 4409),
    (Way::Flood, 4429),
    (Way::TooManySockets, 4429),
    (Way::DoesNotRead, 4503),
    (Way::Drain, 1001),
    (Way::LateInDrain, 1013),
];

/// The end as the client sees it.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Code(Option<u16>),
    /// It has gone, or does not look.
    Nothing,
}

impl Way {
    fn is_of(self, transport: Transport) -> bool {
        match self {
            // In Socket.IO a token that is refused ends no connection.
            Self::NoToken
            | Self::BadToken
            | Self::OtherBeforeToken
            | Self::TooManySockets
            | Self::LateInDrain => transport == Transport::Plain,
            // Polling has no line; its large bodies are refused one by one; what it missed, and whether
            // it is still there when the gateway stops, is chance.
            Self::BrokenLine | Self::TooLarge | Self::TakeOver | Self::Drain => {
                transport != Transport::Polling
            }
            _ => true,
        }
    }

    fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Silence => &["--gateway-ping-interval-ms", "200", "--gateway-ping-timeout-ms", "200"],
            Self::SaysNothing => &["--gateway-handshake-seconds", "0"],
            Self::Flood => &["--gateway-messages-per-second", "1"],
            Self::TooManySockets => &["--gateway-sockets-per-user", "1"],
            _ => &[],
        }
    }

    /// The end as the client sees it, and the sockets that are still open.
    #[expect(clippy::cognitive_complexity, reason = "one short arm for each way to end")]
    async fn walk(self, app: &App, transport: Transport) -> (Seen, Option<Client>) {
        let claims = app.claims("alice");
        let token = app.sign(&claims);
        let code = async |mut client: Client| (Seen::Code(client.ended().await), None);
        match self {
            Self::Goodbye => {
                let mut client = transport.join(app, &token).await;
                client.say_goodbye().await;
                code(client).await
            }
            Self::BrokenLine => {
                drop(transport.join(app, &token).await);
                (Seen::Nothing, None)
            }
            Self::Silence => (Seen::Nothing, Some(transport.join(app, &token).await)),
            Self::Garbage => {
                let mut client = transport.join(app, &token).await;
                client.say("abc").await;
                code(client).await
            }
            Self::TooLarge => {
                let mut client = transport.join(app, &token).await;
                client.say(&"4".repeat(70_000)).await;
                code(client).await
            }
            Self::NoToken => {
                let mut client = transport.open(app).await;
                client.show("").await;
                code(client).await
            }
            Self::BadToken => {
                let mut client = transport.open(app).await;
                client.show("nonsense").await;
                code(client).await
            }
            Self::OtherBeforeToken => {
                let mut client = transport.open(app).await;
                client.chat().await;
                code(client).await
            }
            Self::SaysNothing => code(transport.open(app).await).await,
            Self::Expiry => {
                let client = transport.join(app, &token).await;
                app.platform.clock().advance(TimeDelta::seconds(911));
                code(client).await
            }
            Self::Revocation => {
                let client = transport.join(app, &token).await;
                let ended = json!({ "userId": "alice", "sessionId": claims.sid, "reason": "logout" });
                app.publish("auth:session.deleted", Some("alice"), ended).await;
                code(client).await
            }
            Self::TakeOver => match transport {
                Transport::Plain => take_over_plain(app, &token).await,
                _ => take_over_stock(app, &token).await,
            },
            Self::Flood => {
                let mut client = transport.join(app, &token).await;
                // Each of them waits a second for its turn, until it is enough.
                for _ in 0..8 {
                    client.chat().await;
                }
                code(client).await
            }
            Self::TooManySockets => {
                let first = transport.join(app, &token).await;
                let mut second = transport.open(app).await;
                second.show(&token).await;
                (code(second).await.0, Some(first))
            }
            Self::DoesNotRead => {
                let client = transport.join(app, &token).await;
                let padding = "x".repeat(60_000);
                eventually("the slow client to be closed", async || {
                    for _ in 0..20 {
                        app.publish("ws:all", None, json!({ "padding": padding })).await;
                    }
                    !app.counts("ws_disconnects_total").is_empty()
                })
                .await;
                (Seen::Nothing, Some(client))
            }
            Self::Drain => {
                let client = transport.join(app, &token).await;
                app.platform.lifecycle().stop.cancel();
                code(client).await
            }
            Self::LateInDrain => {
                let mut client = transport.open(app).await;
                app.platform.lifecycle().stop.cancel();
                client.show(&token).await;
                code(client).await
            }
        }
    }
}

async fn take_over_plain(app: &App, token: &str) -> (Seen, Option<Client>) {
    let authorization = format!("Bearer {token}");
    let mut old = Socket::connect_with(&app.ws("/ws"), &[("authorization", &authorization)]).await;
    let known = old.next_event("connection.authorized").await["payload"].take();
    let mut new = app.plain(token).await;
    let [epoch, seq, session] = ["epoch", "seq", "sessionId"].map(|name| known[name].clone());
    new.send(&json!({ "type": "resume", "epoch": epoch, "seq": seq, "sessionId": session })).await;
    (Seen::Code(old.closed().await), Some(Client::Plain(new)))
}

async fn take_over_stock(app: &App, token: &str) -> (Seen, Option<Client>) {
    let mut old = Stock::open(app).await;
    old.send(&format!("40{}", json!({ "token": token }))).await;
    let connected: Value = serde_json::from_str(&old.text().await.unwrap()[2..]).unwrap();
    let offset = old.event_args("/", "connection.authorized").await[1].take();
    let mut new = Stock::open(app).await;
    let auth = json!({ "token": token, "pid": connected["pid"], "offset": offset });
    new.send(&format!("40{auth}")).await;
    (Seen::Code(old.closed().await.1.0), Some(Client::WebSocket(new)))
}

/// Waits until one connection has ended with this code, and none with another.
async fn counted(app: &App, code: u16) {
    let expected = [format!("ws_disconnects_total{{code=\"{code}\"}} 1")];
    eventually(&format!("{expected:?}"), async || !app.counts("ws_disconnects_total").is_empty()).await;
    assert_eq!(app.counts("ws_disconnects_total"), expected);
}

#[rstest]
#[actix_web::test]
async fn every_way_to_end_has_its_code_and_is_counted_once(
    #[values(Backend::Memory, Backend::Real)] backend: Backend,
    #[values(Transport::Plain, Transport::WebSocket, Transport::Polling)] transport: Transport,
) {
    for (way, code) in WAYS.into_iter().filter(|(way, _)| way.is_of(transport)) {
        let app = App::start_with(backend, way.arguments()).await;
        let (seen, still_there) = way.walk(&app, transport).await;
        let expected = match way {
            Way::BrokenLine | Way::Silence | Way::DoesNotRead => Seen::Nothing,
            _ if transport == Transport::Polling => Seen::Code(None),
            // 1005 is never sent.
            Way::Goodbye => Seen::Code(Some(1000)),
            _ => Seen::Code(Some(code)),
        };
        assert_eq!(seen, expected, "{way:?} {transport:?}");
        counted(&app, code).await;
        drop(still_there);
    }
}

#[actix_web::test]
async fn a_gateway_that_has_not_heard_the_backplane_yet_says_try_again_later() {
    let mut app = App::start_with(Backend::Real, &[]).await;
    app.stores.redis().kill();
    app.add_deaf_gateway(&["--gateway-handshake-seconds", "1"]).await;
    let deaf = &app.gateways[1];
    let token = deaf.token("alice");
    for transport in Transport::ALL {
        let mut client = transport.open(deaf).await;
        client.show(&token).await;
        let seen = client.ended().await;
        assert_eq!(seen, (transport != Transport::Polling).then_some(1013), "{transport:?}");
        let label = transport.label();
        let line = format!("ws_connects_total{{result=\"unavailable\",transport=\"{label}\"}}");
        assert_eq!(deaf.metric(&line).await, 1.0);
    }
    assert_eq!(deaf.counts("ws_disconnects_total"), [r#"ws_disconnects_total{code="1013"} 3"#]);
}

/// The gateway's own tests hold the document to the code.
#[test]
fn every_close_code_of_the_document_is_walked() {
    let rows = DOCUMENT.lines().filter_map(|line| line.strip_prefix("| ")?.get(..4)?.parse().ok());
    let documented: BTreeSet<u16> = rows.collect();
    let never_sent = [1005, 1006];
    let walked: BTreeSet<u16> = WAYS.map(|(_, code)| code).into();
    assert_eq!(walked, documented.union(&never_sent.into()).copied().collect());
}
