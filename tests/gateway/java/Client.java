// Drives the Java client of Socket.IO. Each line of standard input is a command, and each line of standard output
// is an event, both as JSON objects.

import io.socket.client.Ack;
import io.socket.client.IO;
import io.socket.client.Manager;
import io.socket.client.Socket;
import io.socket.engineio.client.transports.Polling;
import io.socket.engineio.client.transports.WebSocket;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Field;
import java.util.Arrays;
import java.util.Collections;
import org.json.JSONArray;
import org.json.JSONObject;

public class Client {
  private static Socket socket;

  public static void main(String[] args) throws Exception {
    BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
    for (String line; (line = commands.readLine()) != null; ) {
      JSONObject command = new JSONObject(line);
      switch (command.getString("do")) {
        case "connect":
          connect(command);
          break;
        case "ask":
          socket.emit(command.getString("event"), new Object[0], (Ack) answer -> say("answer", answer[0]));
          break;
        case "upload":
          byte[] bytes = new byte[command.getInt("bytes")];
          Arrays.fill(bytes, (byte) 0xa5);
          socket.emit("upload", new Object[] {bytes}, (Ack) answer -> say("answer", answer[0]));
          break;
        case "break":
          // Like a broken connection: the client reconnects by itself.
          Field engine = Manager.class.getDeclaredField("engine");
          engine.setAccessible(true);
          ((io.socket.engineio.client.Socket) engine.get(socket.io())).close();
          break;
        default:
          System.exit(0);
      }
    }
  }

  private static void connect(JSONObject command) throws Exception {
    IO.Options options = new IO.Options();
    options.forceNew = true;
    options.reconnectionDelay = 50;
    options.auth = Collections.singletonMap("token", command.optString("token"));
    String transport = command.optString("transport");
    if (!transport.isEmpty()) {
      options.transports = new String[] {transport.equals("polling") ? Polling.NAME : WebSocket.NAME};
    }
    socket = IO.socket(command.getString("url"), options);
    socket.on(Socket.EVENT_CONNECT, ignored -> say("connected", socket.id()));
    socket.on(Socket.EVENT_CONNECT_ERROR, error -> say("refused", error[0]));
    socket.on(Socket.EVENT_DISCONNECT, reason -> say("disconnected", reason[0]));
    socket.io().on(Manager.EVENT_RECONNECT, attempts -> say("reconnected", attempts[0]));
    for (String event : new String[] {"connection.authorized", "session.revoked", "drift:updated"}) {
      socket.on(event, values -> say(event, values[0]));
    }
    socket.connect();
  }

  private static synchronized void say(String what, Object value) {
    try {
      Object json = value instanceof JSONObject || value instanceof JSONArray ? value : String.valueOf(value);
      System.out.println(new JSONObject().put("what", what).put("value", json));
      System.out.flush();
    } catch (Exception error) {
      throw new IllegalStateException(error);
    }
  }
}
