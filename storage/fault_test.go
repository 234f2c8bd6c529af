package storage

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/faultfs"
)

var epoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// TestFailedCallsRecover fails the n-th call of the script, in each way and with each error: nothing that was
// acknowledged is lost, the order stays, the state has the right code and clears by itself.
func TestFailedCallsRecover(t *testing.T) {
	ops := twentyOps()
	all := states(ops)
	want := sortedLines(all[len(all)-1])
	for _, tt := range []struct {
		kind faultfs.Kind
		err  error
		code string
	}{
		{faultfs.Fail, syscall.EIO, CodeIO},
		{faultfs.Fail, syscall.ENOSPC, CodeFull},
		{faultfs.Fail, syscall.EROFS, CodeRO},
		{faultfs.Torn, syscall.EIO, CodeIO},
	} {
		for n := 1; ; n++ {
			fs, dir := faultfs.New(), t.TempDir()
			fs.Plan(n, tt.kind, tt.err)
			s, _, err := Open(dir, smallLog(fs))
			if err != nil {
				if s, _, err = Open(dir, smallLog(fs)); err != nil {
					t.Fatalf("call %d: second open: %v", n, err)
				}
			}
			for _, o := range ops {
				if err := o.run(s); err != nil {
					if got := s.State(); got.Code != tt.code || !errors.Is(got.Err, tt.err) {
						t.Fatalf("call %d: state %+v", n, got)
					}
					s.Tick(s.Deadline())
				}
				calm(s)
				if got := s.State(); got.Code != "" {
					t.Fatalf("call %d: state stays %+v", n, got)
				}
			}
			if err := s.Commit(nil); err != nil {
				s.Tick(s.Deadline())
			}
			s.Abandon()
			if fs.Calls() < n {
				break
			}
			s, rep, err := Open(dir, smallLog(fs.Reboot(func() bool { return false })))
			must(t, err)
			if got := sortedLines(dump(t, s)); got != want || rep.Damaged() {
				t.Fatalf("%v call %d: %v\n%s", tt.err, n, rep.Findings, got)
			}
			s.Abandon()
		}
	}
}

// calm gives the store the time to get a reserve again.
func calm(s *Store) {
	for now := epoch; s.State().Code != "" && now.Before(epoch.Add(5*time.Minute)); now = now.Add(time.Minute) {
		s.Tick(now)
	}
}

// TestDeviceDownForAWhile keeps the device broken over many commits: what is handed over waits in order, up to a
// bound, and is durable when the device is back.
func TestDeviceDownForAWhile(t *testing.T) {
	fs := faultfs.New()
	s, _ := mustOpen(t, t.TempDir(), smallLog(fs))
	s.Tick(epoch)
	fs.Always(syscall.EIO)
	n := 0
	var err error
	for ; !errors.Is(err, ErrBacklog) && n < 2*maxPendingRecords; n++ {
		err = s.Note([]station.Record{set(station.BucketMeta, fmt.Sprintf("k%05d", n), "v")})
	}
	if n < maxPendingRecords/2 || n > maxPendingRecords+1 {
		t.Errorf("%d records were taken before %v", n, err)
	}
	waits := map[time.Duration]bool{}
	for now := epoch; now.Before(epoch.Add(10 * time.Minute)); {
		next := s.Tick(now)
		waits[next.Sub(now)] = true
		now = next
	}
	if !waits[retryMost] || len(waits) > 8 {
		t.Errorf("retries after %v", waits)
	}
	fs.Always(nil)
	s.Tick(epoch.Add(time.Hour))
	if st := s.State(); st.Code != "" {
		t.Errorf("state %+v", st)
	}
	if _, found, _ := s.Get(station.BucketMeta, fmt.Sprintf("k%05d", n-2)); !found {
		t.Error("the last record that was taken is not there")
	}
}

// TestDatabaseFull bounds state.db so that checkpoints fail: the journal goes on, the state says so, and when room is
// made everything is there.
func TestDatabaseFull(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir, Options{})
	s.Tick(epoch)
	must(t, s.Commit([]station.Record{set(station.BucketMeta, "first", "1")}))
	must(t, s.Checkpoint())
	s.state.maxSize, s.state.bolt.MaxSize = 1<<17, 1<<17
	for i := 0; i < 400; i++ {
		must(t, s.Commit([]station.Record{set(station.BucketAuthCache, fmt.Sprint(i), strings.Repeat("x", 1500))}))
	}
	if st := s.State(); st.Code != CodeFull {
		t.Errorf("state %+v", st)
	}
	if _, err := os.Stat(dir + "/" + reserveName); !os.IsNotExist(err) {
		t.Errorf("the reserve was not given up: %v", err)
	}
	s.state.maxSize = s.stateMaxSize()
	s.Tick(s.Deadline()) // opens it again
	if st := s.State(); st.Code != CodeFull || !errors.Is(st.Err, ErrReserve) {
		t.Errorf("state without a reserve %+v", st)
	}
	s.Tick(s.Deadline()) // takes a reserve again
	if st := s.State(); st.Code != "" {
		t.Errorf("state after the retry %+v", st)
	}
	want := dump(t, s)
	s.Abandon()
	s, rep := mustOpen(t, dir, Options{})
	if got := dump(t, s); got != want || rep.Damaged() {
		t.Errorf("%v: %d bytes of %d", rep.Findings, len(got), len(want))
	}
}

// TestDamageWhileRunning flips a value under a running store: it is not handed out, and the next retry puts the file
// aside and goes on.
func TestDamageWhileRunning(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir, Options{})
	s.Tick(epoch)
	for i := 0; i < 50; i++ {
		must(t, s.Commit([]station.Record{set(station.BucketAuthCache, fmt.Sprintf("k%d", i), fmt.Sprintf("needle-%03d-%s", i, strings.Repeat("x", 200)))}))
	}
	must(t, s.Checkpoint())
	path := dir + "/" + stateName
	b, err := os.ReadFile(path)
	must(t, err)
	for at := strings.Index(string(b), "needle-017"); at >= 0; at = strings.Index(string(b), "needle-017") {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		must(t, err)
		_, err = f.WriteAt([]byte("poison"), int64(at))
		must(t, err)
		must(t, f.Close())
		copy(b[at:], "poison")
	}
	if v, _, err := s.Get(station.BucketAuthCache, "k17"); err == nil {
		t.Fatalf("a damaged value was handed out: %.20s", v)
	}
	must(t, s.Commit([]station.Record{set(station.BucketMeta, "a", "b")}))
	s.Tick(epoch.Add(time.Hour))
	if st := s.State(); st.Code != "" {
		t.Fatalf("state %+v", st)
	}
	if found := s.Findings(); len(found) != 1 || found[0].Code != FoundAside {
		t.Errorf("findings %v", found)
	}
	if _, found, err := s.Get(station.BucketAuthCache, "k17"); found || err != nil {
		t.Errorf("the damaged row: %v, %v", found, err)
	}
	if _, found, err := s.Get(station.BucketAuthCache, "k18"); !found || err != nil {
		t.Errorf("its neighbour: %v, %v", found, err)
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	newer := schema{version: 2, oldest: 1, steps: map[uint16]step{1: keep}}
	for _, where := range []string{"journal", stateName} {
		t.Run(where, func(t *testing.T) {
			fs, dir := faultfs.New(), t.TempDir()
			s, _, err := open(dir, smallLog(fs), newer)
			must(t, err)
			if where == "journal" {
				// A newer program wrote one batch and the power went before its first checkpoint.
				s.Abandon()
				_, _, err = open(dir, smallLog(faultfs.New()), current)
				if err == nil {
					t.Fatal("newer databases were opened")
				}
				dir = t.TempDir()
				s, _, err = open(dir, smallLog(fs), current)
				must(t, err)
				s.schema = newer
			}
			must(t, s.Commit([]station.Record{set(station.BucketMeta, "a", "b")}))
			s.Abandon()
			before := readImages(t, dir)
			_, _, err = open(dir, smallLog(fs), current)
			var se *SchemaError
			if !errors.As(err, &se) || se.Found != 2 || se.Supported != 1 {
				t.Fatalf("error %v", err)
			}
			for _, part := range []string{se.File, "schema 2", "up to 1", "install the newer"} {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%q does not say %q", err, part)
				}
			}
			if after := readImages(t, dir); string(after[0]) != string(before[0]) || string(after[1]) != string(before[1]) {
				t.Error("a refused database was changed")
			}
		})
	}
}

func keep(r station.Record) ([]station.Record, error) { return []station.Record{r}, nil }

// TestMigration brings a store of schema 1 to a made-up schema 3: rows and what is still in the journal.
func TestMigration(t *testing.T) {
	third := schema{version: 3, oldest: 1, steps: map[uint16]step{
		1: func(r station.Record) ([]station.Record, error) { // settings get a prefix
			if r.Bucket == station.BucketVariable && r.Value != nil {
				r.Value = append([]byte("v2:"), r.Value...)
			}
			return []station.Record{r}, nil
		},
		2: func(r station.Record) ([]station.Record, error) { // the cache is given up, meta is kept twice
			switch r.Bucket {
			case station.BucketAuthCache:
				return nil, nil
			case station.BucketMeta:
				twin := r
				twin.Key += "-twin"
				return []station.Record{r, twin}, nil
			}
			return []station.Record{r}, nil
		},
	}}
	fs, dir := faultfs.New(), t.TempDir()
	s, _ := mustOpen(t, dir, smallLog(fs))
	must(t, s.Commit([]station.Record{set(station.BucketVariable, "a", "1"), set(station.BucketAuthCache, "x", "y"), set(station.BucketMeta, "m", "1"), event(1, station.PhaseStarted, "t", 0)}))
	must(t, s.Checkpoint())
	must(t, s.Commit([]station.Record{set(station.BucketVariable, "b", "2")}))
	s.Abandon()
	s, rep, err := open(dir, smallLog(fs), third)
	must(t, err)
	got := dump(t, s)
	if !strings.HasPrefix(got, "meta/m=1\nmeta/m-twin=1\nvariable/a=v2:1\nvariable/b=v2:2\noutbox/") {
		t.Errorf("content\n%s", got)
	}
	if len(rep.Findings) != 2 || rep.Findings[0].Code != FoundMigrated || rep.Damaged() {
		t.Errorf("report %v", rep.Findings)
	}
	must(t, s.Close())
	s, rep, err = open(dir, smallLog(fs), third)
	must(t, err)
	if again := dump(t, s); again != got || len(rep.Findings) > 0 {
		t.Errorf("second start: %v\n%s", rep.Findings, again)
	}
	s.Abandon()
	late := schema{version: 3, oldest: 2, steps: third.steps}
	s1, _ := mustOpen(t, t.TempDir(), Options{})
	dir = s1.dir
	must(t, s1.Close())
	if _, _, err := open(dir, Options{}, late); err == nil || !strings.Contains(err.Error(), "reads from 2 on") {
		t.Errorf("too old: %v", err)
	}
}

func TestTimers(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New()})
	if next := s.Tick(epoch); !next.IsZero() {
		t.Errorf("idle store wants to be called at %v", next)
	}
	must(t, s.Note([]station.Record{set(station.BucketMeta, "a", "1")}))
	if d := s.Deadline(); d != epoch.Add(time.Minute) {
		t.Errorf("deadline of a note: %v", d)
	}
	s.Tick(epoch.Add(time.Minute))
	if s.journal.Seq() != 1 {
		t.Error("the note was not flushed")
	}
	now := epoch.Add(time.Minute)
	if d := s.Deadline(); d != now.Add(10*time.Minute) {
		t.Errorf("deadline of the checkpoint: %v", d)
	}
	if next := s.Tick(now.Add(10 * time.Minute)); !next.IsZero() || s.state.seq != 1 {
		t.Errorf("checkpoint up to %d, next %v", s.state.seq, next)
	}
}

func TestCheckpointAfterManyRecords(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New()})
	for i := 0; i < 256; i++ {
		must(t, s.Commit([]station.Record{set(station.BucketMeta, fmt.Sprint(i), "a")}))
	}
	if s.state.seq != 256 || s.overlay.records != 0 {
		t.Errorf("checkpoint up to %d, %d records left", s.state.seq, s.overlay.records)
	}
}

func TestAcknowledgementsShareASync(t *testing.T) {
	fs := faultfs.New()
	s, _ := mustOpen(t, t.TempDir(), Options{Files: fs})
	for i := uint64(1); i <= 40; i++ {
		must(t, s.Commit([]station.Record{event(i, station.PhaseUpdated, "t", int(i))}))
	}
	before := fs.Calls()
	for i := uint64(1); i <= HeadWindow; i++ {
		must(t, s.Note([]station.Record{del(station.BucketOutbox, station.ReportID(i).Key())}))
		if head, err := s.Head("", 1); err != nil || head[0].Key != station.ReportID(i+1).Key() {
			t.Fatalf("head after %d acknowledgements: %v, %v", i, head, err)
		}
	}
	if calls := fs.Calls() - before; calls != 2 { // one write, one sync
		t.Errorf("%d calls for %d acknowledgements", calls, HeadWindow)
	}
	before = fs.Calls()
	must(t, s.Commit(nil))
	if calls := fs.Calls() - before; calls != 0 {
		t.Errorf("%d calls for nothing", calls)
	}
}

func TestDeadLetters(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New(), MaxDeadLetters: 3})
	for i := uint64(1); i <= 5; i++ {
		r := event(i, station.PhaseUpdated, "t", int(i))
		must(t, s.Commit([]station.Record{r}))
		must(t, s.Commit([]station.Record{del(station.BucketOutbox, r.Key), {Bucket: station.BucketDeadLetter, Key: r.Key, Value: r.Value}}))
	}
	letters, err := s.DeadLetters()
	if err != nil || len(letters) != 3 || letters[0].Key != station.ReportID(3).Key() {
		t.Fatalf("letters %v, %v", letters, err)
	}
	if _, err := s.Resend(letters[0].Key, station.ReportID(5).Key()); err == nil {
		t.Error("a key in front of the tail is taken")
	}
	if _, err := s.Resend("none", station.ReportID(9).Key()); err == nil {
		t.Error("a letter that is not there is taken")
	}
	batch, err := s.Resend(letters[0].Key, station.ReportID(6).Key())
	must(t, err)
	must(t, s.Commit(batch))
	head, err := s.Head("", 5)
	if err != nil || len(head) != 1 || string(head[0].Value) != string(letters[0].Value) {
		t.Errorf("head %v, %v", head, err)
	}
	if letters, _ = s.DeadLetters(); len(letters) != 2 {
		t.Errorf("%d letters left", len(letters))
	}
}

func TestWipe(t *testing.T) {
	dir := t.TempDir()
	s, _ := mustOpen(t, dir, Options{})
	fill := func() {
		must(t, s.Commit([]station.Record{set(station.BucketVariable, "secret", "sesame"), event(1, station.PhaseStarted, "t", 0)}))
		must(t, s.Checkpoint())
		must(t, s.Commit([]station.Record{set(station.BucketMeta, "secret", "sesame")}))
	}
	fill()
	must(t, s.Wipe())
	if got := dump(t, s); got != "" || s.Queued("t") || s.OutboxLen() != 0 || s.OutboxLast() != "" {
		t.Errorf("left: %s", got)
	}
	fill()
	s.Abandon()
	must(t, os.WriteFile(dir+"/"+wipeName, nil, 0o600)) // the power went right after the reset was begun
	s, rep := mustOpen(t, dir, Options{})
	if got := dump(t, s); got != "" || !rep.Fresh {
		t.Errorf("left after an interrupted reset: %s", got)
	}
	must(t, s.Close())
	entries, err := os.ReadDir(dir)
	must(t, err)
	for _, e := range entries {
		if b, _ := os.ReadFile(dir + "/" + e.Name()); strings.Contains(string(b), "sesame") {
			t.Errorf("%s still has the secret", e.Name())
		}
	}
}

func TestRefusedBatches(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New()})
	for name, batch := range map[string][]station.Record{
		"no bucket":     {{Key: "a", Value: []byte("x")}},
		"own bucket":    {set(bucketOwn, "a", "x")},
		"no key":        {set(station.BucketMeta, "", "x")},
		"long key":      {set(station.BucketMeta, strings.Repeat("k", MaxKey+1), "x")},
		"long value":    {set(station.BucketMeta, "a", strings.Repeat("k", MaxValue+1))},
		"no header":     {set(station.BucketOutbox, "a", "")},
		"batch too big": {set(station.BucketMeta, "a", strings.Repeat("k", MaxValue)), set(station.BucketMeta, "b", strings.Repeat("k", MaxValue)), set(station.BucketMeta, "c", strings.Repeat("k", MaxValue)), set(station.BucketMeta, "d", strings.Repeat("k", MaxValue))},
	} {
		if err := s.Commit(batch); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	largest := set(station.BucketMeta, strings.Repeat("k", MaxKey), strings.Repeat("v", MaxValue))
	must(t, s.Commit([]station.Record{largest}))
	must(t, s.Checkpoint())
	if got := dump(t, s); len(got) != len("meta/=\n")+MaxKey+MaxValue {
		t.Errorf("content of %d bytes", len(got))
	}
}
