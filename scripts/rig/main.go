// Command rig measures how fast a guard reacts: the time from the sample that completes the debounce of a pilot leaving C
// to the command that opens the contactor, with busy processors and an agent that makes garbage.
//
//	go run ./scripts/rig                              10^4 decisions of each kind of guard
//	go run ./scripts/rig -decisions 1000000 -json     for other programs
//	make bench                                        10^5, of this and of everything else
//	make soak SOAKRUN=TestReaction                    10^6; EVSED_DECISIONS says another number
//
// How late the sample itself was taken is told beside it, with how late this machine wakes a thread that comes before all
// others: on a virtual machine the latter is most of it.
//
// Where EVSED_FIGURES names a folder the figures are left there, in reaction.tsv.
//
// Three kinds of processes take part. The rig plays the vehicles through shared memory and allocates nothing while it
// measures. The agent makes garbage all the time, runs guards within itself, and is the parent of as many guards in
// processes of their own (evsed guard). Hogs, one more than there are processors, do nothing but turn. Both kinds of guards
// have the same boards, vehicles and moments.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/evsed/evsed/hal/rig"
	"github.com/evsed/evsed/station/guard/realtime"
)

// guardsOfAKind is how many guards of each kind a run has. More would be sooner done, and would wait for each other.
const guardsOfAKind = 8

type options struct {
	evsed     string
	decisions int
	guards    int
	hogs      int
	seed      uint64
	json      bool
	limit     time.Duration
}

func main() {
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "agent":
			exit(agent(os.Args[2:]))
		case "hog":
			hog()
		}
	}
	var o options
	flag.StringVar(&o.evsed, "evsed", "", "binary of the product; built where none is given")
	flag.IntVar(&o.decisions, "decisions", 10_000, "openings to measure of each kind of guard")
	flag.IntVar(&o.guards, "guards", guardsOfAKind, "guards of each kind, with 64 connectors each")
	flag.IntVar(&o.hogs, "hogs", runtime.NumCPU()+1, "processes that do nothing but turn")
	flag.Uint64Var(&o.seed, "seed", 1, "of the moments at which vehicles leave C")
	flag.BoolVar(&o.json, "json", false, "print the figures as JSON")
	flag.DurationVar(&o.limit, "limit", 0, "give up after this time; 0: four times what it should take")
	flag.Parse()
	exit(run(o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "rig:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func run(o options) error {
	f, err := reaction(o)
	if err != nil {
		return err
	}
	if err := f.keep(os.Getenv("EVSED_FIGURES")); err != nil {
		return err
	}
	if o.json {
		return json.NewEncoder(os.Stdout).Encode(f)
	}
	f.print(os.Stdout)
	return nil
}

// reaction plays a whole run: boards, agent, guards, hogs and vehicles.
func reaction(o options) (figures, error) {
	if o.evsed == "" {
		work, err := os.MkdirTemp("", "rig")
		if err != nil {
			return figures{}, err
		}
		defer os.RemoveAll(work)
		o.evsed = filepath.Join(work, "evsed")
		if text, err := exec.Command("go", "build", "-o", o.evsed, "github.com/evsed/evsed/cmd/evsed").CombinedOutput(); err != nil {
			return figures{}, fmt.Errorf("build evsed: %w: %s", err, text)
		}
	}
	worlds, err := makeWorlds(2 * o.guards)
	if err != nil {
		return figures{}, err
	}
	stop, err := startLoad(o, worlds)
	if err != nil {
		return figures{}, err
	}
	f, err := measure(o, worlds)
	if ended := stop(); err == nil {
		err = ended
	}
	return f, err
}

func measure(o options, worlds []*rig.World) (figures, error) {
	runtime.GOMAXPROCS(runtime.NumCPU() + 2) // the clocks and the vehicles keep theirs
	runtime.GC()
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	f := figures{Guards: o.guards, Hogs: o.hogs, Seed: o.seed, FIFO: true}
	if err := realtime.First(rigPriority); err != nil {
		fmt.Fprintf(os.Stderr, "rig: %v: NO SCHED_FIFO, for rig and guards alike: these figures are no measure of the goals\n", err)
		f.FIFO = false
	}
	before := takeUsage()
	c := startClocks()
	own, within, err := play(o, worlds[:o.guards], worlds[o.guards:])
	f.Machine, f.Own, f.Within = c.stop(), own.figure(), within.figure()
	f.Load, f.Stolen = before.until(takeUsage())
	f.RatioOfMaxima = float64(f.Within.Sample.Max) / float64(max(f.Own.Sample.Max, 1))
	f.RatioWithWait = float64(f.Within.Wait.Max) / float64(max(f.Own.Wait.Max, 1))
	return f, err
}
