package seclog

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/faultfs"
	"github.com/evsed/evsed/storage/journal"
)

var day = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

// entryOf is entry n of every test: one an hour.
func entryOf(n uint64) station.LogSecurity {
	return station.LogSecurity{Number: n, At: day.Add(time.Duration(n) * time.Hour), Sure: n%2 == 0, Boot: int(n / 10), Uptime: time.Duration(n) * time.Second,
		Type: "InvalidMessages", Info: strings.Repeat("\"<ä\x01", int(n%13))}
}

// small is a ring that is soon full.
var small = Options{Segments: 3, SegmentSize: headerSize + 2*MaxLine}

func open(t testing.TB, fs journal.FS, o Options) (*Log, Report) {
	t.Helper()
	l, rep, err := Open(fs, o)
	if err != nil {
		t.Fatal(err)
	}
	return l, rep
}

func fill(t testing.TB, l *Log, from, to uint64) {
	t.Helper()
	for n := from; n <= to; n++ {
		if err := l.Append(entryOf(n)); err != nil {
			t.Fatalf("entry %d: %v", n, err)
		}
	}
}

// exported is the whole log as text, verified.
func exported(t testing.TB, l *Log) ([]byte, Verified) {
	t.Helper()
	text, err := l.Export("CS1", day, time.Time{}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(bytes.NewReader(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return text, v
}

// The log goes on where it ended, drops its oldest segment as a whole, keeps its size, and can be verified all the time.
func TestLogRollsOver(t *testing.T) {
	fs := faultfs.New()
	l, rep := open(t, fs, small)
	if rep.Last != 0 || rep.Torn || len(rep.Breaks) > 0 {
		t.Errorf("a new log: %+v", rep)
	}
	dropped := false
	for n := uint64(1); n <= 200; n++ {
		fill(t, l, n, n)
		if n%7 == 0 {
			_ = l.Close()
			if l, rep = open(t, fs, small); rep.Last != n || len(rep.Breaks) > 0 || rep.Torn {
				t.Fatalf("after %d: %+v", n, rep)
			}
		}
		_, v := exported(t, l)
		if !v.Whole() || v.Last != n || v.Entries != int(v.Last-v.First+1) || v.Station != "CS1" {
			t.Fatalf("after %d: %+v", n, v)
		}
		dropped = dropped || v.First > 1
	}
	if !dropped {
		t.Error("no segment was dropped")
	}
	for _, name := range []string{"seclog-0", "seclog-1", "seclog-2"} {
		if n := len(fs.Content(name)); n != int(small.SegmentSize) {
			t.Errorf("%s has %d bytes, want %d", name, n, small.SegmentSize)
		}
	}
	if err := l.Append(entryOf(5)); err != nil || l.Last() != 200 {
		t.Errorf("an entry that is there already: %v, last %d", err, l.Last())
	}
	_ = l.Close()
	if err := l.Append(entryOf(201)); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// An entry costs one write and one sync; beginning a segment costs one more of each.
func TestFlashWrites(t *testing.T) {
	fs := faultfs.New()
	l, _ := open(t, fs, small)
	fill(t, l, 1, 1)
	before := fs.Calls()
	fill(t, l, 2, 4)
	if n := fs.Calls() - before; n != 6 {
		t.Errorf("%d calls for three entries, want 6", n)
	}
}

func TestExportOfATime(t *testing.T) {
	l, _ := open(t, faultfs.New(), small)
	fill(t, l, 1, 9)
	odd := entryOf(10) // the clock was wrong for a while
	odd.At = day.AddDate(-1, 0, 0)
	if err := l.Append(odd); err != nil {
		t.Fatal(err)
	}
	fill(t, l, 11, 15)
	text, err := l.Export("CS1", day, day.Add(4*time.Hour), day.Add(12*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	v, err := Verify(bytes.NewReader(text))
	if err != nil || !v.Whole() || v.First != 4 || v.Last != 12 || v.Entries != 8 || v.Omitted != 1 {
		t.Errorf("%+v, %v", v, err)
	}
	if strings.Contains(string(text), "2025-") {
		t.Errorf("an entry of another time is told:\n%s", text)
	}
	text, err = l.Export("CS1", day, day.AddDate(1, 0, 0), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if v, err := Verify(bytes.NewReader(text)); err != nil || !v.Whole() || v.Entries != 0 || bytes.Count(text, []byte("\n")) != 2 {
		t.Errorf("of no time: %+v, %v\n%s", v, err, text)
	}
}

// Whatever byte of an exported log is changed, whatever line is left out, doubled or moved: it is noticed.
func TestVerifyNotices(t *testing.T) {
	l, _ := open(t, faultfs.New(), Options{})
	fill(t, l, 1, 12)
	text, v := exported(t, l)
	if !v.Whole() || v.Entries != 12 {
		t.Fatalf("%+v", v)
	}
	first := bytes.IndexByte(text, '\n') // of the first line the chain knows the hash and the number alone
	from := bytes.Index(text, []byte(`,"after":`))
	notices := func(what string, text []byte) {
		t.Helper()
		if v, err := Verify(bytes.NewReader(text)); err == nil && v.Whole() {
			t.Errorf("%s is not noticed", what)
		}
	}
	end := bytes.LastIndex(text, []byte("\n{\"end\"")) + 1
	for at := from; at < len(text)-1; at++ {
		for _, bit := range []byte{1, 2, 32} {
			bad := slices.Clone(text)
			bad[at] ^= bit
			if at < first || at >= end { // numbers may be spelled otherwise, and keys in another case
				if v, err := Verify(bytes.NewReader(bad)); err == nil && v.Whole() && (v.First != 1 || v.Last != 12 || v.Entries != 12) {
					t.Errorf("byte %d: %+v", at, v)
				}
				continue
			}
			notices(fmt.Sprintf("bit %d of byte %d (%q)", bit, at, text[at]), bad)
		}
	}
	all := bytes.SplitAfter(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	join := func(parts ...[][]byte) []byte { return bytes.Join(slices.Concat(parts...), nil) }
	for i := 1; i < len(all); i++ {
		notices(fmt.Sprintf("the absence of line %d", i), join(all[:i], all[i+1:]))
		notices(fmt.Sprintf("the end at line %d", i), join(all[:i]))
		notices(fmt.Sprintf("line %d twice", i), join(all[:i+1], [][]byte{[]byte("\n")}, all[i:]))
		if i+1 < len(all)-1 {
			notices(fmt.Sprintf("line %d behind the next", i), join(all[:i], all[i+1:i+2], all[i:i+1], all[i+2:]))
		}
	}
	if _, err := Verify(strings.NewReader("hello\n")); !errors.Is(err, ErrNoLog) {
		t.Errorf("some text: %v", err)
	}
}

// A forger who writes a new entry must write all that follow anew, up to the hash that was told elsewhere.
func TestChangedEntryIsTold(t *testing.T) {
	fs := faultfs.New()
	l, _ := open(t, fs, Options{})
	fill(t, l, 1, 9)
	_ = l.Close()
	err := fs.Damage("seclog-1", func(b []byte) {
		at := bytes.Index(b, []byte(`{"n":5,`))
		copy(b[at+bytes.Index(b[at:], []byte("Invalid")):], "Nothing")
	})
	if err != nil {
		t.Fatal(err)
	}
	_, rep := open(t, fs, Options{})
	if want := []string{"5 does not follow 4"}; !slices.Equal(rep.Breaks, want) || rep.Last != 9 || rep.Entries != 9 {
		t.Errorf("%+v, want %q", rep, want)
	}
}

// The power is cut in every call, and whatever of it reached the device: what was acknowledged is there, in a chain without a
// break, and the log goes on.
func TestPowerCuts(t *testing.T) {
	const entries = 40
	rng := rand.New(rand.NewPCG(1, 2))
	for cut := 1; ; cut++ {
		for variant := range 4 {
			fs := faultfs.New()
			fs.Plan(cut, faultfs.Cut, nil)
			acked := appendAll(fs, entries)
			if !fs.Off() {
				if cut < 2*entries {
					t.Fatalf("only %d calls", cut)
				}
				return
			}
			next := fs.Reboot(func() bool {
				switch variant {
				case 0:
					return false
				case 1:
					return true
				}
				return rng.IntN(2) == 0
			})
			l, rep := open(t, next, small)
			if len(rep.Breaks) > 0 || rep.Last != acked && rep.Last != acked+1 {
				t.Fatalf("cut %d variant %d: acknowledged up to %d, %+v", cut, variant, acked, rep)
			}
			fill(t, l, rep.Last+1, entries+10)
			_ = l.Close()
			l, rep = open(t, next, small)
			if _, v := exported(t, l); len(rep.Breaks) > 0 || rep.Last != entries+10 || rep.Torn || !v.Whole() {
				t.Fatalf("cut %d variant %d: later %+v, %+v", cut, variant, rep, v)
			}
		}
	}
}

// appendAll writes entries as far as it comes, and returns the last one that was acknowledged.
func appendAll(fs *faultfs.FS, entries uint64) (acked uint64) {
	l, _, err := Open(fs, small)
	if err != nil {
		return 0
	}
	for n := uint64(1); n <= entries; n++ {
		if l.Append(entryOf(n)) != nil {
			return acked
		}
		acked = n
	}
	return acked
}

// Every call fails once, in every way that tells: what was refused is written by the next attempt, and nothing breaks.
func TestFailingCalls(t *testing.T) {
	const entries = 30
	bad := errors.New("input/output error")
	for _, kind := range []faultfs.Kind{faultfs.Fail, faultfs.Short, faultfs.Torn} {
		for n := 1; ; n++ {
			fs := faultfs.New()
			fs.Plan(n, kind, bad)
			l, _, err := Open(fs, small)
			if err != nil {
				if l, _, err = Open(fs, small); err != nil {
					t.Fatalf("call %d: %v", n, err)
				}
			}
			for e := uint64(1); e <= entries; e++ {
				if l.Append(entryOf(e)) != nil {
					fill(t, l, e, e)
				}
			}
			_ = l.Close()
			l, rep := open(t, fs, small)
			if _, v := exported(t, l); len(rep.Breaks) > 0 || rep.Last != entries || !v.Whole() {
				t.Fatalf("call %d, kind %d: %+v", n, kind, rep)
			}
			if fs.Calls() < n {
				break
			}
		}
	}
}

func TestFullDevice(t *testing.T) {
	fs := faultfs.New()
	fs.Room(small.SegmentSize * 2)
	if _, _, err := Open(fs, small); err == nil {
		t.Error("a log for which there is no room opens")
	}
	fs.Room(-1)
	l, _ := open(t, fs, small)
	fs.Room(small.SegmentSize * 3)
	fill(t, l, 1, 100) // it needs no more
}

// Flash rots: a sector is zeroed, or a bit flips. Whatever is hit, either the log is as it was, or it is told.
func TestDamageIsNoticed(t *testing.T) {
	fs := faultfs.New()
	l, _ := open(t, fs, small)
	const entries = 60
	fill(t, l, 1, entries)
	want, _ := exported(t, l)
	_ = l.Close()
	rng := rand.New(rand.NewPCG(3, 4))
	told := 0
	for round := range 4000 {
		hurt := fs.Reboot(func() bool { return true })
		var what string
		name := segmentName(rng.IntN(small.Segments))
		if err := hurt.Damage(name, func(b []byte) {
			w, bad := faultfs.Hurt(rng, b, 0, len(b))
			what = w
			copy(b, bad)
		}); err != nil {
			t.Fatal(err)
		}
		l, rep := open(t, hurt, small)
		if len(rep.Breaks) > 0 || rep.Last != entries {
			told++
		} else if got, _ := exported(t, l); !bytes.Equal(got, want) {
			t.Fatalf("round %d: %s of %s goes unnoticed: %+v", round, what, name, rep)
		}
		fill(t, l, entries+1, entries+30) // it goes on, whatever is broken
		if rep2 := reopen(t, l, hurt); rep2.Last != entries+30 {
			t.Fatalf("round %d: %s of %s: %+v", round, what, name, rep2)
		}
	}
	if told < 2000 {
		t.Errorf("%d of 4000 are told", told)
	}
}

func reopen(t *testing.T, l *Log, fs journal.FS) Report {
	t.Helper()
	_ = l.Close()
	_, rep := open(t, fs, small)
	return rep
}

// A segment that somebody deleted, and a log that begins anew behind a number.
func TestMissingSegments(t *testing.T) {
	fs := faultfs.New()
	l, _ := open(t, fs, small)
	fill(t, l, 1, 60)
	_ = l.Close()
	for place := range small.Segments {
		hurt := fs.Reboot(func() bool { return true })
		if err := hurt.Remove(segmentName(place)); err != nil {
			t.Fatal(err)
		}
		if _, rep := open(t, hurt, small); len(rep.Breaks) == 0 && rep.Last == 60 {
			t.Errorf("segment in place %d: %+v", place, rep)
		}
	}
	l, rep := open(t, faultfs.New(), small)
	fill(t, l, 61, 62)
	if _, v := exported(t, l); rep.Last != 0 || !v.Whole() || v.First != 61 {
		t.Errorf("begun anew: %+v", v)
	}
	fill(t, l, 70, 70)
	if _, v := exported(t, l); !slices.Equal(v.Breaks, []string{"63 to 69 are missing"}) {
		t.Errorf("%q", v.Breaks)
	}
}

func TestRealDirectory(t *testing.T) {
	dir := t.TempDir()
	l, _ := open(t, journal.Dir(dir), Options{})
	fill(t, l, 1, 20)
	_, want := exported(t, l)
	_ = l.Close()
	v, err := VerifyDir(dir)
	if err != nil || !v.Whole() || v.Entries != 20 || v.Last != 20 || v.Head != want.Head {
		t.Errorf("%+v, %v", v, err)
	}
	path := filepath.Join(dir, "seclog-1")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[headerSize+300] ^= 1
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if v, err := VerifyDir(dir); err != nil || v.Whole() {
		t.Errorf("%+v, %v", v, err)
	}
	if _, err := VerifyDir(t.TempDir()); !errors.Is(err, ErrNoLog) {
		t.Errorf("an empty directory: %v", err)
	}
}

// The longest entry that there can be fits a line, and one that does not is refused without harm.
func TestLongestEntry(t *testing.T) {
	l, _ := open(t, faultfs.New(), small)
	e := entryOf(1)
	e.Number, e.Boot, e.Uptime = 1<<61, math.MaxInt32, 1<<62
	e.Type, e.Info = strings.Repeat("x", 50), strings.Repeat("\x01", 255)
	if err := l.Append(e); err != nil {
		t.Error(err)
	}
	e.Number++
	e.Info = strings.Repeat("x", MaxLine)
	if err := l.Append(e); err == nil {
		t.Error("an entry that is too long is taken")
	}
	if _, v := exported(t, l); !v.Whole() || v.Entries != 1 {
		t.Errorf("%+v", v)
	}
}

func FuzzVerify(f *testing.F) {
	l, _ := open(f, faultfs.New(), small)
	fill(f, l, 1, 4)
	text, _ := exported(f, l)
	f.Add(text)
	part, _ := l.Export("CS1", day, day.Add(2*time.Hour), day.Add(3*time.Hour))
	f.Add(part)
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := Verify(bytes.NewReader(text))
		if err == nil && len(v.Breaks) > station.MaxBreaks {
			t.Errorf("%d breaks", len(v.Breaks))
		}
	})
}

// FuzzFiles: whatever stands in the files, the log opens, takes entries and can be read.
func FuzzFiles(f *testing.F) {
	fs := faultfs.New()
	l, _ := open(f, fs, small)
	fill(f, l, 1, 40)
	for i := range small.Segments {
		f.Add(fs.Content(segmentName(i)), uint8(i))
	}
	f.Fuzz(func(t *testing.T, content []byte, place uint8) {
		hurt := fs.Reboot(func() bool { return true })
		if err := hurt.Damage(segmentName(int(place)%small.Segments), func(b []byte) { copy(b, content) }); err != nil {
			t.Fatal(err)
		}
		l, rep := open(t, hurt, small)
		if rep.Last > 1<<60 {
			return
		}
		fill(t, l, rep.Last+1, rep.Last+3)
		if again := reopen(t, l, hurt); again.Last != rep.Last+3 {
			t.Errorf("%+v, then %+v", rep, again)
		}
	})
}
