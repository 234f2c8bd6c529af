package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.etcd.io/bbolt"

	"github.com/evsed/evsed/storage"
)

// TestMistakesAreOneLine makes the mistakes that a user makes. Each is one line that names what is wrong and what is wanted,
// and exit code 2.
func TestMistakesAreOneLine(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	write := func(name, text string) string {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path(name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path(name)
	}
	const good = `{"csms":[{"url":"ws://127.0.0.1:1"}]}`
	seed := write("seed.json", good)
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	kept := func(name, file, text string) string {
		write(name+"/seed.json", good)
		if file != "" {
			write(name+"/"+file, text)
		}
		return path(name)
	}
	inUse := kept("inuse", "", "")
	store, _, err := storage.Open(inUse, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	run := func(args ...string) []string { return append([]string{"run", "--sandbox", "off"}, args...) } // in the process of the test
	at := func(state string) []string {
		return run("--seed", seed, "--state", state, "--sim-listen", "127.0.0.1:0")
	}
	with := func(name, text string) []string {
		return run("--seed", write(name, text), "--state", path("fresh"), "--sim-listen", "127.0.0.1:0")
	}
	for _, test := range []struct {
		name string
		args []string
		want []string // all of them in the line
	}{
		{"no such command", []string{"start"}, []string{`"start"`, "run"}},
		{"unknown flag", run("--stat", "x"), []string{"-stat", "want --seed FILE --state DIR"}},
		{"flag without a value", run("--state"), []string{"-state", "want --seed"}},
		{"an argument too many", run("--state", "x", "seed.json"), []string{`"seed.json"`}},
		{"no state", run("--seed", seed, "--sim-listen", "127.0.0.1:0"), []string{"--state", "want a directory"}},
		{"no interface", run("--seed", seed, "--state", path("fresh")), []string{"--sim-listen", "HOST:PORT", "--board"}},
		{"interface for all", run("--seed", seed, "--state", path("a1"), "--sim-listen", "0.0.0.0:7001"), []string{"--sim-listen 0.0.0.0:7001", "want a loopback address"}},
		{"interface without port", run("--seed", seed, "--state", path("a2"), "--sim-listen", "localhost"), []string{"--sim-listen localhost", "want"}},
		{"port in use", run("--seed", seed, "--state", path("a3"), "--sim-listen", taken.Addr().String()), []string{"--sim-listen " + taken.Addr().String(), "want a free port"}},
		{"hosts that are none", run("--state", "x", "--sim-listen", "127.0.0.1:0", "--file-hosts", "http://a"), []string{"--file-hosts", "http://a", "want a name"}},
		{"roots that are none", run("--state", "x", "--sim-listen", "127.0.0.1:0", "--file-roots", "all"), []string{"--file-roots", "want system or own"}},
		{"slots that are none", run("--state", "x", "--sim-listen", "127.0.0.1:0", "--slots", "/var/slots"), []string{"--slots", "/var/slots", "want rauc:"}},
		{"no seed", run("--state", path("fresh"), "--sim-listen", "127.0.0.1:0"), []string{"--seed", "station-seed/1", "state directory is empty"}},
		{"seed is not there", run("--seed", path("none.json"), "--state", path("fresh"), "--sim-listen", "127.0.0.1:0"), []string{"none.json"}},
		{"seed is a directory", run("--seed", dir, "--state", path("fresh"), "--sim-listen", "127.0.0.1:0"), []string{dir}},
		{"seed is no JSON", with("x1.json", "csms: here"), []string{"x1.json:1:1"}},
		{"seed with an unknown field", with("x2.json", `{"csms":[{"url":"ws://127.0.0.1:1","speed":3}]}`), []string{"x2.json:1:", "csms[0].speed"}},
		{"seed with a bad value", with("x3.json", `{"csms":[{"url":"ws://127.0.0.1:1"}],"evses":[{"id":1,"phases":2}]}`), []string{"x3.json:1:", "evses[0].phases", "want 1 or 3"}},
		{"seed without CSMS", with("x4.json", `{}`), []string{"x4.json", "csms"}},
		{"state is a file", at(seed), []string{"--state " + seed, "want a directory"}},
		{"state below a file", at(filepath.Join(seed, "x")), []string{"--state " + seed, "want a directory"}},
		{"state cannot be made", at("/proc/evsed"), []string{"--state /proc/evsed", "want a directory that can be made"}},
		{"foreign files", at(filepath.Dir(write("foreign/photo.jpg", "x"))), []string{"foreign", "no seed.json", "want an empty directory"}},
		{"damaged copy of the seed", at(kept("badseed", "seed.json", `{"csms":`)), []string{"badseed", "seed.json:1:9", "want"}},
		{"damaged world", at(kept("badworld", "world.json", `{"evses":`)), []string{"--state", "badworld/world.json", "delete it"}},
		{"locked by another evsed", at(inUse), []string{"--state " + inUse, "in use by another process", "want"}},
		{"newer schema", at(newer(t, path("newer"), kept)), []string{"settings.db", "schema 99", "install the newer evsed again"}},
		{"dead letters of nowhere", []string{"dead-letters"}, []string{"--state"}},
		{"dead letters of no station", []string{"dead-letters", "--state", path("nothing")}, []string{"nothing"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out, errs bytes.Buffer
			code := dispatch(test.args, &out, &errs)
			lines := strings.Split(strings.TrimSuffix(errs.String(), "\n"), "\n")
			last := lines[len(lines)-1]
			if code != exitUsage {
				t.Errorf("exit code %d: %s", code, errs.String())
			}
			for _, l := range lines[:len(lines)-1] {
				if !strings.HasPrefix(l, "time=") { // the log, as far as it came
					t.Errorf("more than one line: %q", lines)
				}
			}
			for _, w := range test.want {
				if !strings.Contains(last, w) {
					t.Errorf("%q does not say %q", last, w)
				}
			}
		})
	}
}

// newer makes a state directory that a later release has written.
func newer(t *testing.T, dir string, kept func(name, file, text string) string) string {
	t.Helper()
	kept(filepath.Base(dir), "", "")
	s, _, err := storage.Open(dir, storage.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := bbolt.Open(filepath.Join(dir, "settings.db"), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	const own, key, schema = 255, "schema", 99
	tail := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, schema), schema)
	covered := append([]byte{own, byte(len(key)), 0}, key...)
	row := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(append(covered, tail...), crc32.MakeTable(crc32.Castagnoli)))
	err = db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte{own})
		if b == nil || b.Get([]byte(key)) == nil {
			return fmt.Errorf("no row %q in %v", key, dir)
		}
		return b.Put([]byte(key), append(row, tail...))
	})
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
