#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ws_gateway::fuzzing::socketio_packet(data));
