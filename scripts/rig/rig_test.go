package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestMain lets the test binary be the agent and the hogs of a rig.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && (os.Args[1] == "agent" || os.Args[1] == "hog") {
		main()
	}
	os.Exit(m.Run())
}

// decisions is how many a long run measures: EVSED_DECISIONS, or as many as it usually does.
func decisions(usual int) int {
	if n, err := strconv.Atoi(os.Getenv("EVSED_DECISIONS")); err == nil && n > 0 {
		return n
	}
	return usual
}

// loaded are the options of a run that measures the goals.
func loaded(n int) options {
	return options{guards: guardsOfAKind, hogs: runtime.NumCPU() + 1, decisions: n, seed: 1}
}

// TestReaction runs the rig. In a soak (EVSED_SOAK, and EVSED_DECISIONS for another number than a million) it is loaded as
// the goals ask, and they must hold, as far as the machine itself does; otherwise it shows that the rig measures what it
// says.
func TestReaction(t *testing.T) {
	o := options{guards: 1, decisions: 100, seed: 1}
	soak := os.Getenv("EVSED_SOAK") != ""
	if soak {
		o = loaded(decisions(1_000_000))
	}
	f, err := reaction(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", f)
	for name, k := range map[string]figure{"own": f.Own, "within": f.Within} {
		if k.Decisions != o.decisions || !ordered(k.Sample) || !ordered(k.Wait) || k.ChangeMax < 10*time.Millisecond || k.Sample.P50 <= 0 {
			t.Errorf("%s: %+v", name, k)
		}
	}
	if !soak {
		return
	}
	if err := f.keep(os.Getenv("EVSED_FIGURES")); err != nil {
		t.Error(err)
	}
	if !f.FIFO {
		t.Skip("SCHED_FIFO is not allowed here: the goals cannot be measured")
	}
	for _, goal := range f.missed() {
		t.Error(goal)
	}
}

func ordered(s spread) bool { return s.P50 <= s.P99 && s.P99 <= s.P9999 && s.P9999 <= s.Max }

// BenchmarkReaction measures 10^5 decisions once, however many are asked for.
func BenchmarkReaction(b *testing.B) {
	n := decisions(100_000)
	var f figures
	for range b.N {
		var err error
		if f, err = reaction(loaded(n)); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.keep(os.Getenv("EVSED_FIGURES")); err != nil {
		b.Fatal(err)
	}
	f.print(os.Stdout)
	ms := func(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
	b.ReportMetric(ms(f.Own.Sample.P9999), "p99.99-ms")
	b.ReportMetric(ms(f.Own.Sample.Max), "max-ms")
	b.ReportMetric(ms(f.Within.Sample.Max), "within-max-ms")
	b.ReportMetric(f.RatioOfMaxima, "ratio")
	if !f.FIFO {
		b.Log("SCHED_FIFO is not allowed here: these figures are no measure of the goals")
	}
}

// TestKeptFigures: what is kept has a line for each figure, of four fields.
func TestKeptFigures(t *testing.T) {
	dir := t.TempDir()
	f := figures{Own: figure{Decisions: 7, Sample: spread{P9999: 1234567, Max: 2 * time.Millisecond}}, Within: figure{Sample: spread{Max: 30 * time.Millisecond}, Wait: spread{Max: 40 * time.Millisecond}}, RatioOfMaxima: 15, FIFO: true}
	if err := f.keep(dir); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "reaction.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(b)) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 || fields[0] == "" || fields[3] == "" {
			t.Errorf("line %q", line)
			continue
		}
		values[fields[0]] = fields[1]
	}
	for name, want := range map[string]string{"decisions": "7", "process p99.99": "1.235", "within max": "30.000", "within with the wait max": "40.000", "ratio of maxima": "15.0", "SCHED_FIFO": "true"} {
		if values[name] != want {
			t.Errorf("%s %q, want %q", name, values[name], want)
		}
	}
}

// TestMissedGoals: what the machine itself was late is nobody's fault, and no more than that.
func TestMissedGoals(t *testing.T) {
	machine := machineFigure{P9999: time.Millisecond, Max: 5 * time.Millisecond}
	const ms = time.Millisecond
	for _, test := range []struct {
		sample, wait spread
		ratio        float64
		missed       int
	}{
		{spread{P9999: 2 * ms, Max: 10 * ms}, spread{P9999: 2 * ms, Max: 10 * ms}, 10, 0},
		{spread{P9999: 2 * ms, Max: 10 * ms}, spread{P9999: 3 * ms, Max: 15 * ms}, 10, 0},
		{spread{P9999: 2*ms + 1, Max: 10*ms + 1}, spread{P9999: 3 * ms, Max: 15 * ms}, 9.9, 3},
		{spread{P9999: 2 * ms, Max: 10 * ms}, spread{P9999: 3*ms + 1, Max: 15*ms + 1}, 10, 2},
	} {
		if got := (figures{Own: figure{Sample: test.sample, Wait: test.wait}, Machine: machine, RatioOfMaxima: test.ratio}).missed(); len(got) != test.missed {
			t.Errorf("%+v: %q, want %d goals missed", test, got, test.missed)
		}
	}
}

func TestQuantile(t *testing.T) {
	var s []int64
	for i := range int64(20_000) {
		s = append(s, i+1)
	}
	for per, want := range map[int]time.Duration{5000: 10_000, 9900: 19_800, 9999: 19_998, 10_000: 20_000} {
		if got := quantile(s, per); got != want {
			t.Errorf("%d of 10000: %d, want %d", per, got, want)
		}
	}
	if quantile(nil, 5000) != 0 || quantile([]int64{7}, 1) != 7 {
		t.Error("of little")
	}
}
