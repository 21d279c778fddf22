// SPDX-License-Identifier: Apache-2.0
// The same tool for Go: lib_oauth_client ACTION PORT CA BIND_PORT
package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"time"
)

const host = "sso.example.test"

var port, ca, file string

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func random() string {
	b := make([]byte, 48)
	_, err := rand.Read(b)
	check(err)
	return base64.RawURLEncoding.EncodeToString(b)
}

func post(form url.Values) {
	pem, err := os.ReadFile(ca)
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	client := http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, "127.0.0.1:"+port)
		},
	}}
	r, err := client.PostForm("https://"+host+":"+port+"/token", form)
	check(err)
	body, err := io.ReadAll(r.Body)
	check(err)
	if r.StatusCode != 200 {
		check(fmt.Errorf("no token: %s", body))
	}
	check(os.WriteFile(file+".new", body, 0o600))
	check(os.Rename(file+".new", file))
}

func main() {
	port, ca = os.Args[2], os.Args[3]
	file = os.Getenv("HOME") + "/.oauth-tool/token.json"
	if os.Args[1] == "refresh" {
		var token struct {
			RefreshToken string `json:"refresh_token"`
		}
		text, err := os.ReadFile(file)
		check(err)
		check(json.Unmarshal(text, &token))
		post(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token.RefreshToken}})
		fmt.Println("refreshed")
		return
	}
	listener, err := net.Listen("tcp", "localhost:"+os.Args[4])
	check(err)
	redirect := fmt.Sprintf("http://localhost:%d/callback", listener.Addr().(*net.TCPAddr).Port)
	verifier, state, codes := random(), random(), make(chan string, 1)
	http.HandleFunc("/callback", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "You may close this window.")
		if r.FormValue("state") != state {
			check(fmt.Errorf("the state is another one"))
		}
		codes <- r.FormValue("code")
	})
	go func() { check(http.Serve(listener, nil)) }()
	sum := sha256.Sum256([]byte(verifier))
	query := url.Values{"response_type": {"code"}, "client_id": {"tool"}, "redirect_uri": {redirect}, "state": {state},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(sum[:])}, "code_challenge_method": {"S256"}}
	check(exec.Command("xdg-open", "https://"+host+":"+port+"/authorize?"+query.Encode()).Run())
	select {
	case code := <-codes:
		post(url.Values{"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier},
			"redirect_uri": {redirect}})
		fmt.Println("logged in")
	case <-time.After(time.Minute):
		check(fmt.Errorf("no answer"))
	}
}
