// Receives webhooks of DriftSentry, with the standard library only: WEBHOOK_SECRET=whsec_… PORT=8000 go run receiver.go
// During a rotation, WEBHOOK_SECRET can have both secrets, separated by a space.
package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	maxBytes  = 1 << 20
	tolerance = 5 * time.Minute
	remember  = 48 * time.Hour
)

var secrets [][]byte

// A delivery can arrive twice, with the same id. Keep the ids in your database if the process may restart.
var (
	lock sync.Mutex
	seen = map[string]time.Time{}
)

func isNew(id string) bool {
	lock.Lock()
	defer lock.Unlock()
	now := time.Now()
	for old, at := range seen {
		if now.Sub(at) > remember {
			delete(seen, old)
		}
	}
	_, known := seen[id]
	if !known {
		seen[id] = now
	}
	return !known
}

// isSigned returns whether a secret signed this body within the last five minutes.
func isSigned(headers http.Header, body []byte) bool {
	seconds, err := strconv.ParseInt(headers.Get("webhook-timestamp"), 10, 64)
	age := time.Since(time.Unix(seconds, 0))
	if err != nil || age > tolerance || age < -tolerance {
		return false
	}
	for _, secret := range secrets {
		mac := hmac.New(sha256.New, secret)
		fmt.Fprintf(mac, "%s.%d.", headers.Get("webhook-id"), seconds)
		mac.Write(body)
		// While a secret is replaced, the header has two signatures.
		for _, given := range strings.Fields(headers.Get("webhook-signature")) {
			signature, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(given, "v1,"))
			if err == nil && hmac.Equal(signature, mac.Sum(nil)) {
				return true
			}
		}
	}
	return false
}

func receive(response http.ResponseWriter, request *http.Request) {
	if request.Method != http.MethodPost {
		response.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(response, request.Body, maxBytes))
	if err != nil {
		response.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	// The signature is that of the bytes, so verify before you parse.
	if !isSigned(request.Header, body) {
		response.WriteHeader(http.StatusUnauthorized)
		return
	}
	// Respond first and work later: after ten seconds, the delivery counts as failed.
	response.WriteHeader(http.StatusNoContent)
	if isNew(request.Header.Get("webhook-id")) {
		go work(body)
	}
}

func work(body []byte) {
	var event struct {
		Type string
		Data struct{ ID string }
	}
	if err := json.Unmarshal(body, &event); err != nil {
		log.Print(err)
		return
	}
	fmt.Println(event.Type, event.Data.ID)
}

func main() {
	for _, text := range strings.Fields(os.Getenv("WEBHOOK_SECRET")) {
		secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(text, "whsec_"))
		if err != nil {
			log.Fatal(err)
		}
		secrets = append(secrets, secret)
	}
	if len(secrets) == 0 {
		log.Fatal("set WEBHOOK_SECRET to the secret of the destination")
	}
	port := os.Getenv("PORT")
	if port == "" {
		port = "8000"
	}
	listener, err := net.Listen("tcp", ":"+port)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("listening on", listener.Addr().(*net.TCPAddr).Port)
	server := http.Server{Handler: http.HandlerFunc(receive), ReadTimeout: 10 * time.Second}
	log.Fatal(server.Serve(listener))
}
