package sim

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/halsim"
)

func TestListenRefusesOtherAddresses(t *testing.T) {
	o := newBench(t).o
	for _, address := range []string{"0.0.0.0:0", ":7001", "192.0.2.1:7001", "[::]:7001", "example.org:7001", "127.0.0.1", ""} {
		o.Listen = address
		_, err := Listen(o)
		if want := "sim-listen " + address + ": want a loopback address like 127.0.0.1:7001"; err == nil || err.Error() != want {
			t.Errorf("%q: got %v, want %s", address, err, want)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	o.Listen = taken.Addr().String()
	if _, err = Listen(o); err == nil || !strings.HasSuffix(err.Error(), ": want a free port") || strings.Contains(err.Error(), "\n") {
		t.Errorf("taken port: %v", err)
	}
}

// TestForeignCalls tries what a web page in a browser on this machine could send.
func TestForeignCalls(t *testing.T) {
	b := newBench(t)
	for _, tt := range []struct {
		host, origin string
		code         int
	}{
		{"127.0.0.1:7001", "", 200}, {"localhost:7001", "", 200}, {"[::1]:7001", "", 200}, {"127.0.0.1", "", 200}, {"LOCALHOST", "", 200},
		{"127.0.0.1:7001", "http://localhost:3000", 200},
		{"evil.example:7001", "", 403}, {"127.0.0.1.evil.example", "", 403}, {"", "", 403}, {"192.0.2.1:7001", "", 403},
		{"127.0.0.1:7001", "https://evil.example", 403}, {"127.0.0.1:7001", "null", 403},
	} {
		r := httptest.NewRequest("POST", "http://127.0.0.1/sim/v1/stop", strings.NewReader("{}"))
		r.Host = tt.host
		if tt.origin != "" {
			r.Header.Set("Origin", tt.origin)
		}
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		heard := len(b.taken()) > 0
		if w.Code != tt.code || heard != (tt.code == 200) {
			t.Errorf("host %q, origin %q: %d %s, done: %v", tt.host, tt.origin, w.Code, w.Body, heard)
		}
	}
}

func TestLongBodyIsRefused(t *testing.T) {
	code, answer := newBench(t).call("POST", "/sim/v1/stop", strings.Repeat(" ", maxBody+1))
	if code != 400 || !strings.Contains(answer, "want at most 4194304 bytes") {
		t.Errorf("%d %s", code, answer)
	}
}

// TestServe talks over a socket: the answers, and an end that does not wait for a poll.
func TestServe(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- b.Serve(ctx) }()
	url := "http://" + b.Addr().String() + base
	client := &http.Client{Timeout: 20 * time.Second}
	defer client.CloseIdleConnections()
	resp, err := client.Get(url + "health")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if resp.StatusCode != 200 || string(body) != "{\"ok\":true}\n" || resp.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%d %s %v", resp.StatusCode, body, resp.Header)
	}
	polled := make(chan error, 1)
	go func() {
		resp, err := client.Get(url + "events?waitMs=60000")
		if err == nil {
			resp.Body.Close()
		}
		polled <- err
	}()
	for b.calls.Load() == 0 {
		select {
		case err := <-polled:
			t.Fatalf("the poll did not wait: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	if err := <-polled; err != nil {
		t.Errorf("the poll ended without an answer: %v", err)
	}
}

func TestPollWaitsForAnEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		begin := time.Now()
		code, answer := b.call("GET", "/sim/v1/events?waitMs=30000", "")
		if code != 200 || answer != `{"next":1,"events":[]}` || time.Since(begin) != 30*time.Second {
			t.Errorf("without an event: %d %s after %v", code, answer, time.Since(begin))
		}
		answers := make(chan string)
		for range 3 {
			go func() {
				_, answer := b.call("GET", "/sim/v1/events?since=1&waitMs=30000", "")
				answers <- answer
			}()
		}
		synctest.Wait()
		begin = time.Now()
		time.Sleep(time.Second)
		b.call("POST", "/sim/v1/stop", "")                    // logs nothing
		b.call("POST", "/sim/v1/swipe", `{"idToken":"ABCD"}`) // does
		for range 3 {
			want := `{"next":2,"events":[{"seq":1,"t":"2030-01-01T00:00:00Z","type":"swipe","data":{"evses":null,"idToken":"ABCD","type":"ISO14443"}}]}`
			if got := <-answers; got != want || time.Since(begin) != time.Second {
				t.Errorf("after %v:\n got %s\nwant %s", time.Since(begin), got, want)
			}
		}
	})
}

func TestPollEndsWithItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		begin := time.Now()
		r := httptest.NewRequestWithContext(ctx, "GET", "http://localhost/sim/v1/events?waitMs=60000", nil)
		b.ServeHTTP(httptest.NewRecorder(), r)
		if d := time.Since(begin); d != time.Second {
			t.Errorf("waited %v for nobody", d)
		}
	})
}

func TestCallsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		for range maxCalls {
			go b.call("GET", "/sim/v1/events?waitMs=1000", "")
		}
		synctest.Wait()
		if code, answer := b.call("GET", "/sim/v1/health", ""); code != 503 {
			t.Errorf("call %d: %d %s", maxCalls+1, code, answer)
		}
		time.Sleep(2 * time.Second)
		if code, _ := b.call("GET", "/sim/v1/health", ""); code != 200 {
			t.Errorf("after the others: %d", code)
		}
	})
}

// TestHungStation wants an answer within 100 ms from every call while the station's loop hangs.
func TestHungStation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		_, before := b.call("GET", "/sim/v1/state", "")
		b.mu.Lock()
		b.hung = true
		b.mu.Unlock()
		bodies := map[string]string{
			"variables": `{"set":[]}`, "auth-cache": `{"entries":[]}`, "local-list": `{"version":1,"entries":[]}`,
			"swipe": `{"idToken":"A"}`, "faults": `{"code":"tamper"}`, "power": `{"on":false}`, "network": `{"up":false}`, "clock": `{"rate":2}`,
		}
		for _, rt := range routes {
			path := strings.Replace(rt.path, "{e}", "1", 1)
			begin := time.Now()
			body := ""
			if rt.method == "POST" {
				body = bodies[rt.path]
			}
			code, answer := b.call(rt.method, base+path, body)
			if d := time.Since(begin); d >= 100*time.Millisecond {
				t.Errorf("%s %s took %v", rt.method, path, d)
			}
			asks := path == "variables" || path == "auth-cache" || path == "local-list"
			if asks != (code == 503) {
				t.Errorf("%s %s: %d %s", rt.method, path, code, answer)
			}
			if path == "state" && answer != before {
				t.Errorf("a hung station said last\n%s\ngot\n%s", before, answer)
			}
		}
	})
}

// TestNilPartsAreNotSimulated leaves out what a runner need not have.
func TestNilPartsAreNotSimulated(t *testing.T) {
	b := newBench(t)
	b.o.Power, b.o.Clock, b.o.Network, b.o.StageList, b.o.FactoryReset, b.o.Service, b.o.Log = nil, nil, nil, nil, nil, nil, nil
	for path, body := range map[string]string{
		"power": `{"on":false}`, "clock": `{"rate":2}`, "network": `{"up":false}`, "reset-state": "", "local-list": `{"version":1,"entries":[]}`,
		"upload": `{"result":"ok"}`,
	} {
		if code, answer := b.call("POST", base+path, body); code != 501 {
			t.Errorf("%s: %d %s", path, code, answer)
		}
	}
	for _, c := range [][3]string{
		{"DELETE", "faults", ""}, {"POST", "evses/1/faults", `{"code":"contactorFault","active":false}`}, {"POST", "swipe", `{"idToken":"A"}`}, {"GET", "events", ""},
	} {
		if code, answer := b.call(c[0], base+c[1], c[2]); code != 200 {
			t.Errorf("%v: %d %s", c, code, answer)
		}
	}
}

func TestStatusOf(t *testing.T) {
	for err, want := range map[error]int{
		halsim.ErrBadValue: 400, errRequest: 400, halsim.ErrNotFound: 404, halsim.ErrImpossible: 409, ErrOff: 409, ErrNotSimulated: 501,
		context.DeadlineExceeded: 503, io.ErrUnexpectedEOF: 500,
	} {
		if got := statusOf(fmt.Errorf("do it: %w", err)); got != want {
			t.Errorf("%v: %d, want %d", err, got, want)
		}
	}
}

// TestReferenceIsComplete keeps the page for users in step: every call, and every parameter of a car.
func TestReferenceIsComplete(t *testing.T) {
	page, err := os.ReadFile("../../../docs/SIM-API.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, rt := range routes {
		if want := "`" + rt.method + " /" + rt.path; !strings.Contains(string(page), want) {
			t.Errorf("docs/SIM-API.md does not have %s", want)
		}
	}
	for _, word := range slices.Concat(carNames, tokenTypes, evseFaults, stationFaults) {
		if !strings.Contains(string(page), "`"+word+"`") {
			t.Errorf("docs/SIM-API.md does not have `%s`", word)
		}
	}
}

// FuzzCall sends any body and query to any call: the answer is JSON with a status of the contract, and a call that is
// refused has changed nothing.
func FuzzCall(f *testing.F) {
	for i, rt := range routes {
		for _, body := range []string{``, `{}`, `{"on":true}`, `{"up":true}`, `{"rate":1e2}`, `{"idToken":"A","evses":[1]}`, `{"code":"other"}`, `{"occupied":true}`,
			`{"connector":2,"ev":{"socPercent":1}}`, `{"side":"ev","orderly":true}`, `{"energyWh":1,"voltageV":[1,2]}`, `{"behaviour":"normal","connector":1}`,
			`{"set":[{"component":"a","variable":"b","value":"c"}]}`, `{"version":1,"entries":[{"idToken":"A","expiry":null}]}`} {
			f.Add(uint8(i), "", body)
		}
		for _, q := range rt.query {
			f.Add(uint8(i), q+"=1", ``)
		}
	}
	f.Fuzz(func(t *testing.T, i uint8, query, body string) {
		rt := routes[int(i)%len(routes)]
		b := newBench(t)
		defer b.listener.Close()
		before := b.world.Saved()
		gone, cancel := context.WithCancel(context.Background())
		cancel() // a poll would wait otherwise
		r := httptest.NewRequestWithContext(gone, rt.method, "http://localhost"+base+strings.Replace(rt.path, "{e}", "2", 1), strings.NewReader(body))
		r.URL.RawQuery = query
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		var answer map[string]any
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatalf("%s: %v", w.Body, err)
		}
		switch w.Code {
		case 200, 202:
			return
		case 400, 404, 409, 501:
		default:
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		text, _ := answer["error"].(string)
		if text == "" || len(answer) != 1 {
			t.Fatalf("%d without a reason: %s", w.Code, w.Body)
		}
		if after := b.world.Saved(); !reflect.DeepEqual(before, after) {
			t.Fatalf("%d %s, but the world has changed\nfrom %+v\n  to %+v", w.Code, w.Body, before, after)
		}
		if notes := b.taken(); len(notes) > 0 {
			t.Fatalf("%d %s, but %v", w.Code, w.Body, notes)
		}
	})
}

func TestUpload(t *testing.T) {
	b := newBench(t)
	var got []string
	b.o.PlanUpload = func(ok bool, step time.Duration) { got = append(got, fmt.Sprint(ok, step)) }
	for _, c := range []struct {
		body string
		code int
	}{{`{"result":"ok","stepMs":500}`, 200}, {`{"result":"fail"}`, 200}, {`{}`, 400}, {`{"result":"maybe"}`, 400}, {`{"result":"ok","stepMs":-1}`, 400}, {`{"result":"ok","url":"x"}`, 400}} {
		if code, answer := b.call("POST", base+"upload", c.body); code != c.code {
			t.Errorf("%s: %d %s", c.body, code, answer)
		}
	}
	if want := []string{"true 500ms", "false 0s"}; !slices.Equal(got, want) {
		t.Errorf("planned %v, want %v", got, want)
	}
}
