package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage"
)

// kind is a kind of trouble. A seed has some of them: few kinds at once reach further than all of them always.
type kind uint

const (
	kindCut     kind = 1 << iota // the network goes away
	kindHole                     // frames vanish while the connection stands
	kindMute                     // the CSMS takes everything and answers nothing
	kindAnswers                  // single requests and answers are lost, late or doubled
	kindErrors                   // the CSMS answers with errors and with what is no answer
	kindPending                  // the CSMS answers a BootNotification with Pending or Rejected, or forgets the station
	kindClock                    // no clock at boot, jumps, a CSMS with a wrong time
	kindPower                    // power cuts, many of them within a write
	kindFlash                    // the device fails, is full, tears writes
	kindKill                     // the process is killed, or the guard is
	kindBoard                    // every fault that a board can have
	kindCars                     // cars and drivers that misbehave
	kindAdmin                    // the CSMS starts, stops, unlocks, resets and takes out of service
	kindSlow                     // the device takes its time
	kindLie                      // the device says that it has written, and has not
	kindSmart                    // the CSMS sets charging profiles
	kindReserve                  // the CSMS reserves
	kindEnd
)

var kindNames = [...]string{"cut", "hole", "mute", "answers", "errors", "pending", "clock", "power", "flash", "kill", "board", "cars", "admin", "slow", "lie", "smart", "reserve"}

func (k kind) String() string {
	var names []string
	for i, n := range kindNames {
		if k&(1<<i) != 0 {
			names = append(names, n)
		}
	}
	return strings.Join(names, "+")
}

// setting is a variable of the device model as a fitter sets it.
type setting struct{ component, variable, value string }

// plan is what a seed makes of a station and of the world around it.
type plan struct {
	seed     uint64
	kinds    kind
	evses    []station.EVSE
	settings []setting
	values   map[string]string // of settings, by variable: what the checker and the drivers go by
	versions []rpc.Version     // one of them is spoken over each connection
	sessions float64           // a day, of the whole station
	trouble  time.Duration     // mean time between two troubles
	latency  time.Duration     // most of it, one way
	cruise   time.Duration     // how long the world is left alone while nothing but a register moves
	jitter   time.Duration     // how late the guard may look at what happens
	tick     time.Duration     // of the world
	heal     time.Duration     // from one demand for liveness to the next
	store    storage.Options
	password string
}

// newPlan draws everything from the seed.
func newPlan(seed uint64) *plan {
	r := rand.New(rand.NewPCG(seed, 0x7965617273))
	p := &plan{seed: seed, values: map[string]string{}, password: fmt.Sprintf("secret-%016x", r.Uint64())}
	for k := kind(1); k < kindLie; k <<= 1 {
		if r.IntN(2) == 0 {
			p.kinds |= k
		}
	}
	if rand.New(rand.NewPCG(seed, 0x6c6965)).IntN(6) == 0 { // few devices lie, and what they do excuses much
		p.kinds |= kindLie
	}
	later := rand.New(rand.NewPCG(seed, 0x6c696d6974)) // what came later leaves the other draws as they were
	for k := kindSmart; k < kindEnd; k <<= 1 {
		if later.IntN(2) == 0 {
			p.kinds |= k
		}
	}
	p.station(r)
	p.behaviour(r)
	p.managed(later)
	p.versions = [][]rpc.Version{{rpc.V21}, {rpc.V201}, {rpc.V21, rpc.V201}}[r.IntN(3)]
	p.sessions = 1 + 4*r.Float64()
	p.trouble = time.Duration(6+r.IntN(90)) * time.Hour
	p.latency = []time.Duration{20, 80, 300, 1500}[r.IntN(4)] * time.Millisecond
	p.cruise = time.Minute
	switch n := r.IntN(40); {
	case n == 0:
		p.cruise = time.Second
	case n < 5:
		p.cruise = 15 * time.Second
	}
	p.jitter = []time.Duration{0, 5 * time.Millisecond, 20 * time.Millisecond}[r.IntN(3)]
	p.tick = []time.Duration{time.Second, 10 * time.Second, 10 * time.Second, 30 * time.Second}[r.IntN(4)]
	p.heal = time.Duration(3+r.IntN(25)) * day
	p.store = storage.Options{Segments: 2 + r.IntN(3), SegmentSize: int64(68+r.IntN(3)*60) * 4096, MaxOutboxEntries: []int{64, 300, 2000, 100_000}[r.IntN(4)],
		CheckpointRecords: []int{64, 256, 1024, 1024}[r.IntN(4)], CheckpointEvery: []time.Duration{10 * time.Minute, time.Hour}[r.IntN(2)]}
	return p
}

const day = 24 * time.Hour

// station draws the topology.
func (p *plan) station(r *rand.Rand) {
	for i := range 1 + r.IntN(4) {
		e := station.EVSE{ID: term.EVSEID(i + 1), Phases: []int{1, 3, 3}[r.IntN(3)], MaxCurrent: []unit.Current{10, 16, 32, 32}[r.IntN(4)] * unit.Ampere}
		for j := range 1 + r.IntN(4)/3 {
			c := station.Connector{ID: term.ConnectorID(j + 1), Type: "sType2"}
			if r.IntN(2) == 0 {
				c.Type, c.Tethered = "cType2", true
			}
			e.Connectors = append(e.Connectors, c)
		}
		p.evses = append(p.evses, e)
	}
}

// behaviour draws the device model.
func (p *plan) behaviour(r *rand.Rand) {
	set := func(component, variable string, values ...string) {
		v := values[r.IntN(len(values))]
		p.values[variable] = v
		p.settings = append(p.settings, setting{component, variable, v})
	}
	set("TxCtrlr", "TxStartPoint", "PowerPathClosed", "EVConnected", "Authorized", "EVConnected,Authorized", "EnergyTransfer", "PowerPathClosed")
	set("TxCtrlr", "TxStopPoint", "PowerPathClosed", "EVConnected", "Authorized", "EVConnected,Authorized", "PowerPathClosed")
	set("TxCtrlr", "TxBeforeAcceptedEnabled", "true", "true", "false")
	set("TxCtrlr", "ResumptionTimeout", "0", "900", "900")
	set("TxCtrlr", "EVConnectionTimeOut", "60", "120", "300")
	set("TxCtrlr", "StopTxOnInvalidId", "true", "true", "false")
	set("TxCtrlr", "StopTxOnEVSideDisconnect", "true", "true", "false")
	set("TxCtrlr", "MaxEnergyOnInvalidId", "0", "0", "500")
	set("AuthCtrlr", "OfflineTxForUnknownIdEnabled", "true", "false")
	set("AuthCtrlr", "LocalPreAuthorize", "true", "false")
	set("AuthCtrlr", "LocalAuthorizeOffline", "true", "true", "false")
	set("AuthCtrlr", "AuthorizeRemoteStart", "true", "false")
	set("AuthCacheCtrlr", "Enabled", "true", "true", "false")
	set("SampledDataCtrlr", "TxUpdatedInterval", "20", "30", "30", "60", "60", "300")
	set("SampledDataCtrlr", "TxEndedInterval", "0", "0", "900")
	set("SampledDataCtrlr", "TxUpdatedMeasurands", "Energy.Active.Import.Register,Power.Active.Import", "Energy.Active.Import.Register",
		"Energy.Active.Import.Register,Current.Import,Voltage,Power.Active.Import")
	set("AlignedDataCtrlr", "Interval", "0", "0", "900", "3600")
	set("OCPPCommCtrlr", "OfflineThreshold", "60", "600", "0")
	set("OCPPCommCtrlr", "UnlockOnEVSideDisconnect", "true", "true", "false")
}

// managed draws the device model of what a CSMS may limit and reserve.
func (p *plan) managed(r *rand.Rand) {
	set := func(k kind, component, variable, value string) {
		if p.kinds&k != 0 {
			p.settings = append(p.settings, setting{component, variable, value})
		}
	}
	set(kindSmart, "SmartChargingCtrlr", "LimitChangeSignificance", []string{"1", "0", "20", "100"}[r.IntN(4)])
	set(kindSmart, "SmartChargingCtrlr", "Enabled", strconv.FormatBool(r.IntN(12) > 0))
	set(kindReserve, "ReservationCtrlr", "Enabled", strconv.FormatBool(r.IntN(12) > 0))
}

// on reports whether a boolean variable was set to true.
func (p *plan) on(variable string) bool { return p.values[variable] == "true" }

func (p *plan) String() string {
	connectors := 0
	for _, e := range p.evses {
		connectors += len(e.Connectors)
	}
	return fmt.Sprintf("%d EVSEs, %d connectors, %.1f sessions a day, samples every %s s, look away %v, trouble every %v of %v",
		len(p.evses), connectors, p.sessions, p.values["TxUpdatedInterval"], p.cruise, p.trouble, p.kinds)
}
