use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use hickory_resolver::proto::op::{Message, MessageType};
use hickory_resolver::proto::rr::{RData, Record, RecordType};
use tokio::net::UdpSocket;

type Queries = Arc<Mutex<HashMap<(String, RecordType), usize>>>;

/// A DNS server whose records expire at once.
pub(crate) struct DnsServer {
    pub address: SocketAddr,
    queries: Queries,
}

impl DnsServer {
    /// Responds with the records that `find` returns for a name, a type, and the number of earlier queries for both.
    pub(crate) async fn start(
        find: impl Fn(&str, RecordType, usize) -> Vec<RData> + Send + Sync + 'static,
    ) -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        let server = Self { address: socket.local_addr().unwrap(), queries: Queries::default() };
        let queries = server.queries.clone();
        tokio::spawn(async move {
            let mut bytes = [0; 4_096];
            while let Ok((length, client)) = socket.recv_from(&mut bytes).await {
                let mut message = Message::from_vec(&bytes[..length]).unwrap();
                let query = message.queries[0].clone();
                let key = (query.name().to_ascii().to_lowercase(), query.query_type());
                let earlier = {
                    let mut queries = queries.lock().unwrap();
                    let count = queries.entry(key.clone()).or_default();
                    *count += 1;
                    *count - 1
                };
                let records = find(&key.0, key.1, earlier);
                message.metadata.message_type = MessageType::Response;
                message.metadata.recursion_available = true;
                message.answers = records
                    .into_iter()
                    .map(|data| Record::from_rdata(query.name().clone(), 0, data))
                    .collect();
                socket.send_to(&message.to_vec().unwrap(), client).await.unwrap();
            }
        });
        server
    }

    /// Returns the number of queries for a name and a type.
    pub(crate) fn queries(&self, name: &str, kind: RecordType) -> usize {
        self.queries.lock().unwrap().get(&(name.to_owned(), kind)).copied().unwrap_or_default()
    }
}
