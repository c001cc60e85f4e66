pub mod over_sockets;
