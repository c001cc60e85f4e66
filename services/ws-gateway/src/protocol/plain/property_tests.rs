use proptest::prelude::*;
use serde_json::json;

use super::*;

proptest! {
    #[test]
    fn nothing_makes_the_decoder_panic(text in r#"[\[\]{}",:a-z0-9 ]{0,64}"#) {
        let _ = PlainRequest::decode(&text);
    }

    #[test]
    fn a_request_of_a_client_is_read(room in ".{0,20}", epoch in ".{0,20}", seq in any::<u64>()) {
        let subscribe = json!({ "type": "subscribe", "room": room, "id": "x" }).to_string();
        let request = PlainRequest::decode(&subscribe).unwrap();
        prop_assert_eq!(request.id, Some(json!("x")));
        prop_assert_eq!(request.command, Command::Subscribe { room });
        let resume = json!({ "type": "resume", "epoch": epoch, "seq": seq }).to_string();
        let command = Command::Resume { epoch, seq, session_id: None, rooms: Vec::new() };
        prop_assert_eq!(PlainRequest::decode(&resume).unwrap().command, command);
    }
}
