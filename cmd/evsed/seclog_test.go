package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/journal"
	"github.com/evsed/evsed/storage/seclog"
)

// evsed seclog verify says of a state directory and of an uploaded file whether they can be trusted, and where they cannot.
func TestVerifySecurityLog(t *testing.T) {
	dir := t.TempDir()
	log, _, err := seclog.Open(journal.Dir(dir), seclog.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for n := uint64(1); n <= 5; n++ {
		if err := log.Append(station.LogSecurity{Number: n, At: time.Unix(int64(n), 0), Type: "StartupOfTheDevice", Info: "PowerUp"}); err != nil {
			t.Fatal(err)
		}
	}
	text, err := log.Export("CS1", time.Unix(9, 0), time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "log.txt")
	verify := func(path string) (code int, said string) {
		var out, errs bytes.Buffer
		code = dispatch([]string{"seclog", "verify", path}, &out, &errs)
		return code, out.String() + errs.String()
	}
	write := func(path string, b []byte) {
		t.Helper()
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, text)
	for _, path := range []string{dir, file} {
		if code, said := verify(path); code != exitOK || !strings.Contains(said, "5 entries, 1 to 5") || !strings.Contains(said, "the chain is whole") {
			t.Errorf("%s: %d %s", path, code, said)
		}
	}
	write(file, bytes.Replace(text, []byte("PowerUp"), []byte("PowerUP"), 1))
	segment := filepath.Join(dir, "seclog-1")
	b, err := os.ReadFile(segment)
	if err != nil {
		t.Fatal(err)
	}
	write(segment, bytes.Replace(b, []byte("PowerUp"), []byte("PowerUP"), 1))
	for _, path := range []string{dir, file} {
		if code, said := verify(path); code != exitFailed || !strings.Contains(said, "broken: 1 does not follow 0") {
			t.Errorf("%s: %d %s", path, code, said)
		}
	}
	for _, path := range []string{t.TempDir(), filepath.Join(dir, "nothing"), "seclog_test.go"} {
		if code, said := verify(path); code != exitUsage || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: %d %q", path, code, said)
		}
	}
}

// The process is killed right after a tamper alarm, again and again: each alarm and each start is in the log, once, and its
// chain is whole.
func TestSecurityLogOverKills(t *testing.T) {
	const kills = 5
	_, url := backend(t, nil)
	p := newProcess(t, url)
	var text []byte
	count := func(kind string) int { return bytes.Count(text, []byte(`"type":"`+kind+`"`)) }
	started := func(times int) {
		t.Helper()
		p.until("the start is in the log", func() bool {
			text = nil
			for i := range seclog.DefaultSegments {
				b, _ := os.ReadFile(filepath.Join(p.dir, fmt.Sprintf("seclog-%d", i))) // it may not be there yet
				text = append(text, b...)
			}
			return count(station.StartupOfTheDevice) == times
		})
	}
	for i := range kills {
		p.boot()
		started(i + 1)
		if code := p.do("/faults", fmt.Sprintf(`{"code":"tamper","active":%t,"info":"lid"}`, i%2 == 0)); code != http.StatusOK {
			t.Fatalf("fault: %d", code)
		}
		p.kill()
	}
	p.boot()
	started(kills + 1)
	p.until("the alarm of the last life is in the log", func() bool { started(kills + 1); return count(station.TamperDetectionActivated) >= 3 })
	// An alarm is told when it comes, and by each start that finds it: of five kills three come with it on.
	if n := count(station.TamperDetectionActivated); n < 3 || n > 6 {
		t.Errorf("%d alarms", n)
	}
	if v, err := seclog.VerifyDir(p.dir); err != nil || !v.Whole() || v.First != 1 || v.Entries != int(v.Last) {
		t.Errorf("%+v, %v", v, err)
	}
}
