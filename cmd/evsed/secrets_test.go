package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage/seclog"
)

// secret is what nobody may read, in every spelling in which it might be found.
type secret struct {
	name  string
	marks [][]byte
}

// newSecret knows a secret in clear, in base64 at each of its three places, in hexadecimal digits and percent-encoded.
func newSecret(name string, value []byte) secret {
	s := secret{name: name, marks: [][]byte{value}}
	add := func(text string) {
		if len(text) >= 8 {
			s.marks = append(s.marks, []byte(text))
		}
	}
	for shift := range 3 {
		for _, enc := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			text := enc.EncodeToString(append(make([]byte, shift), value...))
			add(text[(shift*8+5)/6 : len(text)-1]) // what does not depend on what stands around it
		}
	}
	digits := hex.EncodeToString(value)
	add(digits)
	add(strings.ToUpper(digits))
	add(url.QueryEscape(string(value)))
	add(url.PathEscape(string(value)))
	every := ""
	for _, b := range value {
		every += fmt.Sprintf("%%%02X", b)
	}
	add(every)
	add(strings.ToLower(every))
	return s
}

// scan fails where a text holds one of the secrets.
func scan(t *testing.T, where string, text []byte, secrets ...secret) {
	t.Helper()
	for _, s := range secrets {
		for _, m := range s.marks {
			if at := bytes.Index(text, m); at >= 0 {
				t.Errorf("%s: %s is there, as %q near %q", where, s.name, m, text[max(0, at-60):min(len(text), at+60)])
				break
			}
		}
	}
}

// TestSecretsAreFound: the scan itself finds every spelling.
func TestSecretsAreFound(t *testing.T) {
	const value = "s3cret/pass+word?"
	s := newSecret("it", []byte(value))
	for _, text := range []string{value, base64.StdEncoding.EncodeToString([]byte("cp001:" + value)), base64.StdEncoding.EncodeToString([]byte("a" + value + "z")),
		base64.URLEncoding.EncodeToString([]byte("ab" + value)), hex.EncodeToString([]byte(value)), fmt.Sprintf("%X", value),
		url.UserPassword("user", value).String(), url.QueryEscape(value)} {
		if !slices.ContainsFunc(s.marks, func(m []byte) bool { return strings.Contains(text, string(m)) }) {
			t.Errorf("%q is not found", text)
		}
	}
}

// keyPair makes a private key with a certificate, in the two folders in which a seed brings them along. It returns what may
// be told of the key nowhere.
func keyPair(t *testing.T, dir string) (key []secret) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "cp001", Organization: []string{"evsed"}},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	must(t, os.MkdirAll(dir, 0o700))
	must(t, os.WriteFile(filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.MkdirAll(dir+"-keys", 0o700))
	must(t, os.WriteFile(filepath.Join(dir+"-keys", "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	scalar, err := private.Bytes()
	must(t, err)
	return []secret{newSecret("the private key", scalar), {name: "the private key's PEM", marks: [][]byte{[]byte("PRIVATE KEY-----")}}}
}

// TestNoSecretIsTold lets a whole station live with secrets of every kind: it charges, is refused, fails, reports, uploads its
// logs, is dumped by SIGQUIT. Of no secret anything is found: not in what it prints, tells its CSMS, uploads, answers or
// keeps, nor in its arguments and environment.
func TestNoSecretIsTold(t *testing.T) {
	const (
		seedPassword   = "seed|Passw0rd+4711"
		newPassword    = "changed|Passw0rd+42"
		refused        = "short+|Pa55"
		slotPassword   = "slot2|Passw0rd+0815"
		uploadPassword = "upl0ad/Passw+rd?"
		keyPassword    = "unused/Key+Passw0rd"
		card           = "CAFE0123456789"
	)
	var passwords []secret
	for name, value := range map[string]string{"the seed's password": seedPassword, "a password set by the CSMS": newPassword, "a refused password": refused,
		"the password of a network profile": slotPassword, "the password of an upload": uploadPassword, "the password of private keys": keyPassword} {
		passwords = append(passwords, newSecret(name, []byte(value)))
	}
	token := newSecret("a driver's card", []byte(card))
	var mu sync.Mutex
	var told bytes.Buffer // what the station sent to its CSMS
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	c := csms.New(csms.Options{Tokens: map[term.IdToken]msg2.IdTokenInfo{{Value: card, Type: term.TokenISO14443}: {Status: "Accepted"}},
		Trace: func(_ string, sent bool, frame []byte) {
			mu.Lock()
			defer mu.Unlock()
			if !sent {
				told.Write(frame)
				told.WriteByte('\n')
			}
		}})
	serve(t, c, l)
	files := map[string]string{}
	store := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		mu.Lock()
		defer mu.Unlock()
		files[r.URL.Path] = string(data)
	}))
	t.Cleanup(store.Close)

	p := newProcess(t, "ws://"+l.Addr().String())
	certs := filepath.Join(t.TempDir(), "cs")
	key := keyPair(t, certs)
	seed, err := os.ReadFile(p.seed)
	must(t, err)
	seed = bytes.Replace(seed, []byte(`"securityProfile":0`), fmt.Appendf(nil, `"securityProfile":1,"basicAuthPassword":%q`, seedPassword), 1)
	seed = bytes.Replace(seed, []byte(`"ocpp2":`), fmt.Appendf(nil, `"security":{"chargingStationCertificateDir":%q,"chargingStationKeyDir":%q,"privateKeyPassword":%q},"ocpp2":`,
		certs, certs+"-keys", keyPassword), 1)
	must(t, os.WriteFile(p.seed, seed, 0o600))
	p.args = []string{"--verbose", "--guard", "child"}
	p.boot()
	p.until("the CSMS accepts the station", func() bool { return p.state().Station.Connected })
	call := func(action, payload string) string {
		t.Helper()
		r, err := c.Call(t.Context(), "cp001", action, []byte(payload))
		if err != nil {
			return err.Error() // refused is an answer too: the CSMS has heard it
		}
		return string(r.Payload)
	}
	upload := strings.Replace(store.URL, "://", "://"+url.UserPassword("user", uploadPassword).String()+"@", 1) + "/logs/"
	p.do("/evses/1/plug", `{}`)
	p.do("/swipe", `{"idToken":"`+card+`","type":"ISO14443","evses":[1]}`)
	p.until("the car charges", func() bool { return p.state().EVSEs[0].EnergyWh > 0 })
	set := func(password string) string {
		return call("SetVariables", fmt.Sprintf(`{"setVariableData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"},"attributeValue":%q}]}`, password))
	}
	if got := set(refused); !strings.Contains(got, `"Rejected"`) {
		t.Errorf("a short password: %s", got)
	}
	call("GetVariables", `{"getVariableData":[{"component":{"name":"SecurityCtrlr"},"variable":{"name":"BasicAuthPassword"}}]}`)
	call("GetBaseReport", `{"requestId":1,"reportBase":"FullInventory"}`)
	call("GetReport", `{"requestId":2,"componentVariable":[{"component":{"name":"SecurityCtrlr"}}]}`)
	profile := `{"configurationSlot":%d,"connectionData":{"ocppInterface":"Wired0","ocppTransport":"JSON","ocppCsmsUrl":%q,"messageTimeout":30,"securityProfile":1,"basicAuthPassword":%q}}`
	call("SetNetworkProfile", fmt.Sprintf(profile, 2, "ws://127.0.0.1:9", slotPassword))
	call("SetNetworkProfile", fmt.Sprintf(profile, 2, "ws://user:"+slotPassword+"@127.0.0.1:9", slotPassword)) // refused: credentials have no place in it
	call("DataTransfer", fmt.Sprintf(`{"vendorId":"x","data":%q}`, uploadPassword))
	dead := strings.Replace(upload, store.Listener.Addr().String(), "127.0.0.1:9", 1)
	for _, address := range []string{dead, upload + "%zz", "gopher" + strings.TrimPrefix(upload, "http")} {
		call("GetLog", fmt.Sprintf(`{"logType":"DiagnosticsLog","requestId":3,"retries":0,"log":{"remoteLocation":%q}}`, address))
	}
	call("UpdateFirmware", fmt.Sprintf(`{"requestId":4,"retries":0,"firmware":{"location":%q,"retrieveDateTime":"2020-01-01T00:00:00Z"}}`, dead+"image"))
	set(newPassword)
	connections := c.Received("cp001", "Heartbeat")
	p.until("the station is back with its new password", func() bool { return c.Received("cp001", "Heartbeat") > connections && p.state().Station.Connected })
	for _, kind := range []string{"DiagnosticsLog", "SecurityLog"} {
		call("GetLog", fmt.Sprintf(`{"logType":%q,"requestId":5,"log":{"remoteLocation":%q}}`, kind, upload))
		p.until("the "+kind, func() bool {
			mu.Lock()
			defer mu.Unlock()
			for path := range files {
				if strings.Contains(path, strings.ToLower(strings.TrimSuffix(kind, "Log"))) {
					return true
				}
			}
			return false
		})
	}

	// What anybody may see.
	all := append(slices.Clone(passwords), key...)
	for _, path := range []string{"/health", "/info", "/state", "/events?since=0"} {
		resp, err := http.Get(p.api + path)
		must(t, err)
		text, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || len(text) == 0 {
			t.Errorf("GET %s: %d bytes, %v", path, len(text), err)
		}
		scan(t, "GET "+path, text, all...)
	}
	for _, pid := range append(family(t, p.cmd.Process.Pid), p.cmd.Process.Pid) {
		for _, file := range []string{"cmdline", "environ"} {
			text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), file))
			if err == nil { // a sandboxed process does not show all of itself
				scan(t, fmt.Sprintf("/proc/%d/%s", pid, file), text, append(all, token)...)
			}
		}
	}
	mu.Lock()
	scan(t, "what the CSMS heard", told.Bytes(), all...)
	for path, text := range files {
		scan(t, "upload "+path, []byte(text), append(all, token)...)
		if strings.Contains(path, "security") {
			if v, err := seclog.Verify(strings.NewReader(text)); err != nil || !v.Whole() || v.Entries < 3 {
				t.Errorf("%s: %+v, %v", path, v, err)
			}
		}
	}
	mu.Unlock()
	scanState(t, p.dir, all)

	// The dump of a crash goes to stderr.
	must(t, p.cmd.Process.Signal(syscall.SIGQUIT))
	_ = p.cmd.Wait()
	p.cmd = nil
	dump := []byte(p.out.String())
	if !bytes.Contains(dump, []byte("SIGQUIT")) || !bytes.Contains(dump, []byte("goroutine ")) {
		t.Errorf("no dump in\n%.2000s", dump)
	}
	scan(t, "stdout, stderr and the dump", dump, append(all, token)...)
	scanState(t, p.dir, all)
}

// scanState looks into every file that the station keeps. One of them may hold secrets: the copy of the seed, as the fitter wrote
// it, from which a station whose settings are lost finds its CSMS again. Nobody but its owner reads it.
func scanState(t *testing.T, dir string, secrets []secret) {
	t.Helper()
	seen := 0
	must(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: anybody may read or write it: %v", path, info.Mode())
		}
		seen++
		if d.Name() == seedCopy {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		scan(t, "state: "+strings.TrimPrefix(path, dir), text, secrets...)
		return nil
	}))
	if seen < 5 {
		t.Errorf("%d files of state", seen)
	}
}

// TestNoDefaultCredential: a station that nobody gave a password has none, and connects with none: where its security profile
// asks for one, it waits for it.
func TestNoDefaultCredential(t *testing.T) {
	var asked, authorized atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Header.Get("Authorization") != "" {
			authorized.Add(1)
		}
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	address := "ws" + strings.TrimPrefix(server.URL, "http")

	open := newProcess(t, address) // security profile 0
	open.boot()
	open.until("it calls", func() bool { return asked.Load() > 0 })
	if n := authorized.Load(); n > 0 {
		t.Errorf("%d of %d calls bring credentials that nobody gave", n, asked.Load())
	}
	if got := open.variable("SecurityCtrlr", "BasicAuthPassword"); got != "" {
		t.Errorf("a first boot has the password %q", got)
	}
	open.kill()

	for _, password := range []string{"", `,"basicAuthPassword":""`} {
		p := newProcess(t, address)
		seed, err := os.ReadFile(p.seed)
		must(t, err)
		must(t, os.WriteFile(p.seed, bytes.Replace(seed, []byte(`"securityProfile":0`), []byte(`"securityProfile":1`+password), 1), 0o600))
		var out, errs bytes.Buffer
		if code := dispatch([]string{"run", "--seed", p.seed, "--state", p.dir, "--sim-listen", "127.0.0.1:0"}, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), "basicAuthPassword") {
			t.Errorf("security profile 1 without a password: exit %d, %s", code, errs.String())
		}
	}
}
