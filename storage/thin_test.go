package storage

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/storage/faultfs"
)

// outboxNow lists what is in the outbox as tx/seq/phase, in order, without marking it as handed out.
func outboxNow(t *testing.T, s *Store) []string {
	t.Helper()
	var out []string
	must(t, s.each(station.BucketOutbox, "", func(_ string, v []byte) bool {
		h, _, err := station.ParseOutboxHeader(v)
		must(t, err)
		out = append(out, fmt.Sprintf("%s/%d/%d", h.Transaction, h.SeqNo, h.Phase))
		return true
	}))
	return out
}

// TestThinningDropsEverySecondUpdated fills an outbox of 100 with two transactions at once.
func TestThinningDropsEverySecondUpdated(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New(), MaxOutboxEntries: 100})
	id := uint64(0)
	next := func() uint64 { id++; return id }
	for i := 0; i < 20; i++ { // another story at the head, of which nothing may go
		must(t, s.Commit([]station.Record{event(next(), station.PhaseUpdated, "old", i)}))
	}
	must(t, s.Commit([]station.Record{event(next(), station.PhaseStarted, "a", 0), event(next(), station.PhaseStarted, "b", 0)}))
	for i := 1; s.OutboxLen() <= 98; i++ {
		must(t, s.Commit([]station.Record{event(next(), station.PhaseUpdated, "a", i), event(next(), station.PhaseUpdated, "b", i)}))
	}
	before := outboxNow(t, s)
	must(t, s.Commit([]station.Record{event(next(), station.PhaseEnded, "a", 40)}))
	got := outboxNow(t, s)
	// 22 entries are at the head, five events of each transaction more are protected; of those behind the first,
	// third … of each go: 6, 8, 10 …
	var want []string
	for i, e := range before {
		var tx string
		var seq, phase int
		if n, _ := fmt.Sscanf(e, "%1s/%d/%d", &tx, &seq, &phase); n == 3 && i >= protectedHead && seq%2 == 0 {
			continue
		}
		want = append(want, e)
	}
	want = append(want, "a/40/3")
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
	thinned, err := s.Thinned("a")
	if err != nil || len(thinned) < 10 || thinned[0] != 6 || thinned[1] != 8 {
		t.Errorf("thinned %v, %v", thinned, err)
	}
	if old, _ := s.Thinned("old"); len(old) > 0 {
		t.Errorf("thinned at the head: %v", old)
	}
	if got := s.ThinnedTransactions(); !slices.Equal(got, []string{"a", "b"}) {
		t.Errorf("transactions %v", got)
	}
}

func TestNothingLeftToThinIsFull(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New(), MaxOutboxEntries: 100})
	for i := uint64(1); i <= 101; i++ {
		must(t, s.Commit([]station.Record{event(i, station.PhaseStarted, fmt.Sprint(i), 0)}))
	}
	if st := s.State(); st.Code != CodeFull || !errors.Is(st.Err, ErrOutboxFull) {
		t.Errorf("state %+v", st)
	}
	var err error
	n := uint64(101)
	for ; err == nil; n++ { // the reserve lets what runs be ended
		err = s.Commit([]station.Record{event(n+1, station.PhaseEnded, fmt.Sprint(n), 1)})
	}
	if !errors.Is(err, ErrOutboxFull) || s.OutboxLen() != 100+outboxReserve {
		t.Errorf("after %d entries: %v", s.OutboxLen(), err)
	}
	must(t, s.Commit([]station.Record{set(station.BucketMeta, "still", "works")}))
	for i := uint64(1); i <= outboxReserve+10; i++ {
		must(t, s.Note([]station.Record{del(station.BucketOutbox, station.ReportID(i).Key())}))
	}
	must(t, s.Commit(nil))
	if st := s.State(); st.Code != "" {
		t.Errorf("state after room was made: %+v", st)
	}
}

func TestHandedOutIsNeverThinned(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New(), MaxOutboxEntries: 100})
	id := uint64(0)
	for ; id < 99; id++ {
		must(t, s.Commit([]station.Record{event(id+1, station.PhaseUpdated, "a", int(id))}))
	}
	var handed []Entry
	after := ""
	for len(handed) < 80 {
		es, err := s.Head(after, 16)
		must(t, err)
		handed, after = append(handed, es...), es[len(es)-1].Key
	}
	for ; id < 140; id++ {
		must(t, s.Commit([]station.Record{event(id+1, station.PhaseUpdated, "a", int(id))}))
	}
	for _, e := range handed {
		if _, found, _ := s.Get(station.BucketOutbox, e.Key); !found {
			t.Fatalf("%s was handed out and is gone", e.Key)
		}
	}
	if got, _ := s.Thinned("a"); len(got) == 0 || got[0] < 80 {
		t.Errorf("thinned %v", got)
	}
}

// TestEveryNumberIsInOneSet runs transactions against a small outbox with acknowledgements and power cuts: every
// sequence number is sent, queued or thinned, exactly one of them, and what was sent twice was the same.
func TestEveryNumberIsInOneSet(t *testing.T) {
	seeds := uint64(12)
	if os.Getenv("EVSED_SOAK") != "" {
		seeds = 400
	}
	for seed := range seeds {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { everyNumber(t, seed) }) // which gives back what it opened
	}
}

func everyNumber(t *testing.T, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 5))
	fs, dir := faultfs.New(), t.TempDir()
	o := smallLog(fs)
	o.MaxOutboxEntries, o.CheckpointRecords = 80, 40
	s, _ := mustOpen(t, dir, o)
	w := world{t: t, sent: map[string]string{}, queuedAs: map[string]string{}}
	for range 700 {
		switch rng.IntN(40) {
		case 0:
			fs = fs.Reboot(func() bool { return rng.IntN(2) == 0 })
			o.Files = fs
			s.Abandon()
			s, _ = mustOpen(t, dir, o)
		case 1, 2, 3, 4, 5, 6, 7:
			w.deliver(s, 1+rng.IntN(3))
		default:
			w.emit(s, rng)
		}
	}
	w.check(s, seed)
	s.Abandon()
}

// world is a station and a CSMS as far as numbers go.
type world struct {
	t        *testing.T
	id       uint64
	seq      [3]int
	tx       [3]int
	sent     map[string]string // tx/seq -> value the CSMS got
	queuedAs map[string]string // tx/seq -> value that was committed
}

func (w *world) emit(s *Store, rng *rand.Rand) {
	i := rng.IntN(3)
	phase := station.PhaseUpdated
	if w.seq[i] == 0 {
		phase = station.PhaseStarted
	} else if rng.IntN(30) == 0 {
		phase = station.PhaseEnded
	}
	w.id++
	tx := fmt.Sprintf("t%d-%d", i, w.tx[i])
	r := event(w.id, phase, tx, w.seq[i])
	must(w.t, s.Commit([]station.Record{r}))
	w.queuedAs[fmt.Sprintf("%s/%d", tx, w.seq[i])] = string(r.Value)
	w.seq[i]++
	if phase == station.PhaseEnded {
		w.seq[i], w.tx[i] = 0, w.tx[i]+1
	}
}

func (w *world) deliver(s *Store, n int) {
	es, err := s.Head("", n)
	must(w.t, err)
	for _, e := range es {
		h, _, err := station.ParseOutboxHeader(e.Value)
		must(w.t, err)
		number := fmt.Sprintf("%s/%d", h.Transaction, h.SeqNo)
		if old, ok := w.sent[number]; ok && old != string(e.Value) {
			w.t.Fatalf("%s was sent twice with different content", number)
		}
		w.sent[number] = string(e.Value)
		must(w.t, s.Note([]station.Record{del(station.BucketOutbox, e.Key)}))
	}
}

func (w *world) check(s *Store, seed uint64) {
	in := map[string]int{}
	for n := range w.sent {
		in[n]++
	}
	must(w.t, s.each(station.BucketOutbox, "", func(k string, v []byte) bool {
		h, _, err := station.ParseOutboxHeader(v)
		must(w.t, err)
		if n := fmt.Sprintf("%s/%d", h.Transaction, h.SeqNo); w.sent[n] == "" {
			in[n]++
		}
		return true
	}))
	thinned := 0
	for _, tx := range s.ThinnedTransactions() {
		seqs, err := s.Thinned(tx)
		must(w.t, err)
		for _, n := range seqs {
			in[fmt.Sprintf("%s/%d", tx, n)]++
			thinned++
		}
	}
	for n := range w.queuedAs {
		if in[n] != 1 {
			w.t.Fatalf("seed %d: %s is in %d sets", seed, n, in[n])
		}
	}
	if thinned == 0 || len(in) != len(w.queuedAs) {
		w.t.Fatalf("seed %d: %d thinned, %d numbers of %d", seed, thinned, len(in), len(w.queuedAs))
	}
}

func TestThinnedRowsRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for round := 0; round < 200; round++ {
		want := map[int]bool{}
		var row thinnedRow
		for i := 0; i < rng.IntN(50); i++ {
			n := rng.IntN(1 << (1 + rng.IntN(12)))
			want[n] = true
			row.set(n)
		}
		got, err := ParseThinned(row.encode())
		must(t, err)
		if len(got) != len(want) || !slices.IsSorted(got) {
			t.Fatalf("%d numbers of %d", len(got), len(want))
		}
		for _, n := range got {
			if !want[n] {
				t.Fatalf("%d was not set", n)
			}
		}
	}
	for _, bad := range []string{"", "12345678", "12345678\xff", "12345678\x01"} {
		if _, err := ParseThinned([]byte(bad)); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestThinnedTransactionsAreBounded(t *testing.T) {
	s, _ := mustOpen(t, t.TempDir(), Options{Files: faultfs.New(), MaxOutboxEntries: 64})
	for id := uint64(1); id < 3*maxThinned; id++ {
		must(t, s.Note([]station.Record{event(id, station.PhaseUpdated, fmt.Sprintf("t%d", id), 1)}))
	}
	must(t, s.Commit(nil))
	got := s.ThinnedTransactions()
	if len(got) != maxThinned || slices.Contains(got, "t40") || !slices.Contains(got, fmt.Sprintf("t%d", 3*maxThinned-1-0)) && !slices.Contains(got, fmt.Sprintf("t%d", 3*maxThinned-2)) {
		t.Errorf("%d transactions, first %v", len(got), got[:3])
	}
}
