package main

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
)

// kills is how often the tests below kill a station: EVSED_KILLS says, in a soak often, else a few times.
func kills() int {
	if n, err := strconv.Atoi(os.Getenv("EVSED_KILLS")); err == nil {
		return n
	}
	if os.Getenv("EVSED_SOAK") != "" {
		return 1000
	}
	return 8
}

// TestKillWhileCharging kills the station again and again while two cars charge, and audits the bills: nothing that the
// station had promised is lost, nothing is told twice with other content, and every watt-hour is billed. Every fourth time
// it is killed once more while it starts.
func TestKillWhileCharging(t *testing.T) { killWhileCharging(t, `"ocpp2.1","ocpp2.0.1"`, "kills.tsv") }

// In 1.6 the number that the CSMS gave a transaction has to survive as well.
func TestKillWhileChargingIn16(t *testing.T) { killWhileCharging(t, `"ocpp1.6"`, "kills16.tsv") }

func killWhileCharging(t *testing.T, versions, figures string) {
	var booted atomic.Int64
	c, url := backend(t, func(r csms.Request) {
		if r.Action == "BootNotification" {
			booted.CompareAndSwap(0, time.Now().UnixNano())
		}
	})
	p := newProcessOf(t, url, versions, variable("SampledDataCtrlr", "TxUpdatedInterval", "1"), variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"),
		variable("OCPPCommCtrlr", "RetryBackOffRandomRange", "0"))
	p.boot()
	p.connected()
	p.do("/evses/1/plug", `{"ev":{"socPercent":5,"capacityWh":100000}}`)
	p.do("/swipe", `{"idToken":"ALICE","type":"ISO14443","evses":[1]}`)
	p.do("/evses/2/plug", `{"connector":1,"ev":{"socPercent":5,"capacityWh":100000}}`)
	p.do("/swipe", `{"idToken":"BOB","type":"ISO14443","evses":[2]}`)
	p.until("both cars charge", func() bool { s := p.state(); return s.EVSEs[0].Relay && s.EVSEs[1].Relay })
	rng := rand.New(rand.NewPCG(1, 2))
	longest := 1500 // ms; cut short where there are many to come
	if kills() > 50 {
		longest = 500
	}
	var boots []time.Duration
	for n := range kills() {
		time.Sleep(time.Duration(rng.IntN(longest)) * time.Millisecond) // a real process in real time: it is killed anywhere
		before := p.state()
		p.kill()
		if n%4 == 3 {
			p.spawn()
			time.Sleep(time.Duration(rng.IntN(80)) * time.Millisecond)
			p.kill()
		}
		booted.Store(0)
		p.boot()
		p.until("it boots again", func() bool { return booted.Load() != 0 })
		boots = append(boots, time.Unix(0, booted.Load()).Sub(p.start))
		if b := boots[len(boots)-1]; b > time.Second {
			t.Logf("kill %d: BootNotification after %v:\n%s", n, b, p.out.String())
		}
		for i, e := range p.state().EVSEs {
			if e.EnergyWh < before.EVSEs[i].EnergyWh {
				t.Fatalf("EVSE %d: register fell from %v to %v Wh", i+1, before.EVSEs[i].EnergyWh, e.EnergyWh)
			}
		}
	}
	p.until("both cars charge again", func() bool { s := p.state(); return s.EVSEs[0].Relay && s.EVSEs[1].Relay })
	p.do("/stop", `{}`)
	p.until("both transactions have ended and everything is told", func() bool {
		s := p.state()
		return s.Station.Connected && s.EVSEs[0].Transaction == nil && s.EVSEs[1].Transaction == nil && s.Station.PendingMessages == 0
	})
	found := c.Ledger().Check(nil)
	if len(found) > 0 {
		t.Errorf("the books do not add up: %q", found)
	}
	billed := map[int]unit.Energy{}
	told := 0
	for _, tx := range c.Ledger().Transactions() {
		billed[tx.EVSE] += tx.Energy()
		told += len(tx.Events)
	}
	for i, e := range p.state().EVSEs {
		if lost := e.EnergyWh - float64(billed[i+1])/1e6*1e3; lost > 1 || lost < -1 {
			t.Errorf("EVSE %d: the meter shows %v Wh, the bills %v", i+1, e.EnergyWh, billed[i+1])
		}
	}
	if n := len(c.Ledger().Transactions()); n != 2 {
		t.Errorf("%d transactions, want the 2 that were resumed every time", n)
	}
	if t.Failed() {
		return
	}
	slices.SortFunc(boots, func(a, b time.Duration) int { return cmp.Compare(a, b) })
	at := func(part int) float64 {
		return float64(boots[min(len(boots)*part/100, len(boots)-1)]) / float64(time.Millisecond)
	}
	t.Logf("%d kills and %d more in the start, %d events told; start to BootNotification: median %.0f ms, p90 %.0f ms, longest %.0f ms",
		kills(), kills()/4, told, at(50), at(90), at(100))
	killFigures(t, figures, fmt.Sprintf("kills\t%d\t\tkill -9 of the process while two cars charge\nkills in the start\t%d\t\tkill -9 within 80 ms of a start\n"+
		"events told\t%d\t\tof the two transactions, which were resumed every time\nevents lost\t0\t\tor told twice with other content, by the books of the CSMS\n"+
		"failed starts\t0\t\tbehind a kill\nunbilled\t0\tWh\tof what the meters show, to 1 Wh\n"+
		"boot median\t%.0f\tms\tfrom the start of the process to BootNotification at the CSMS\nboot p90\t%.0f\tms\tthe same\nboot max\t%.0f\tms\tthe same\n",
		kills(), kills()/4, told, at(50), at(90), at(100)))
}

// killFigures leaves what a run found where EVSED_FIGURES asks for it.
func killFigures(t *testing.T, name, lines string) {
	dir := os.Getenv("EVSED_FIGURES")
	if dir == "" {
		return
	}
	must(t, os.WriteFile(filepath.Join(dir, name), []byte(lines), 0o644))
}

// TestKillAtFirstStart kills a station in its very first start, at random moments: the next start with the same command
// line brings a station that its CSMS accepts, or goes on where the first one stood.
func TestKillAtFirstStart(t *testing.T) {
	c, url := backend(t, nil)
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range max(kills()/10, 6) {
		p := newProcess(t, url)
		for range 1 + rng.IntN(3) {
			p.spawn()
			time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
			p.kill()
		}
		before := c.Received("cp001", "BootNotification")
		p.boot()
		p.until("the CSMS accepts it", func() bool {
			return c.Received("cp001", "BootNotification") > before && p.state().Station.Connected
		})
		// A tail that was being written is no damage, nor is a disk that others keep busy.
		if strings.Contains(strings.NewReplacer("STO-TAIL", "", "STO-SLOW", "").Replace(p.out.String()), "STO-") {
			t.Errorf("kill %d: a start was taken for damage:\n%s", n, p.out.String())
		}
		p.kill()
	}
}

// TestFirstStartCutShort: a first start that ended while it copied its seed is begun again. Any other file in the place of
// the state is still refused: it may be somebody's.
func TestFirstStartCutShort(t *testing.T) {
	for _, name := range []string{seedCopy + newSuffix, "diary.txt"} {
		p := newProcess(t, "ws://127.0.0.1:1")
		must(t, os.Mkdir(p.dir, 0o700))
		must(t, os.WriteFile(filepath.Join(p.dir, name), []byte(`{"format":"stati`), 0o600))
		_, err := readSeed(runOptions{seed: p.seed, state: p.dir})
		if refused := err != nil; refused != (name == "diary.txt") {
			t.Errorf("%s: %v", name, err)
		}
		if err == nil {
			p.boot()
			p.kill()
		}
	}
}
