package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
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

// TestReaction runs the rig. In a soak (EVSED_SOAK, and EVSED_DECISIONS for another number than a million) it is loaded as
// the goals ask, and they must hold; otherwise it shows that the rig measures what it says.
func TestReaction(t *testing.T) {
	o := options{guards: 1, decisions: 100, seed: 1, evsed: filepath.Join(t.TempDir(), "evsed")}
	soak := os.Getenv("EVSED_SOAK") != ""
	if soak {
		o.guards, o.hogs, o.decisions = 5, runtime.NumCPU()+1, 1_000_000
		if n, err := strconv.Atoi(os.Getenv("EVSED_DECISIONS")); err == nil {
			o.decisions = n
		}
	}
	if text, err := exec.Command("go", "build", "-o", o.evsed, "github.com/evsed/evsed/cmd/evsed").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	worlds, err := makeWorlds(2 * o.guards)
	if err != nil {
		t.Fatal(err)
	}
	stop, err := startLoad(o, worlds)
	if err != nil {
		t.Fatal(err)
	}
	f, err := measure(o, worlds)
	if ended := stop(); err != nil || ended != nil {
		t.Fatal(err, ended)
	}
	t.Logf("%+v", f)
	for name, k := range map[string]figure{"own": f.Own, "within": f.Within} {
		if k.Decisions != o.decisions || k.P50 > k.P99 || k.P99 > k.P9999 || k.P9999 > k.Max || k.ChangeMax < 10*time.Millisecond || k.CycleLess <= 0 {
			t.Errorf("%s: %+v", name, k)
		}
	}
	if soak && (f.Own.P9999 > 2*time.Millisecond || f.Own.Max > 10*time.Millisecond || f.RatioOfMaxima < 10) {
		t.Errorf("want 9999 of 10000 within 2 ms, all within 10 ms, and the agent's guard 10 times as slow")
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
