package virtual

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
)

// generations are those in which signed values can be told.
var generations = []string{"ocpp2.1", "ocpp2.0.1", "ocpp1.6"}

// signedTowns plays f in a town of each generation, whose meter signs.
func signedTowns(t *testing.T, f func(*town), settings ...Setting) {
	for _, v := range generations {
		t.Run(v, func(t *testing.T) { inSignedTown(t, v, f, settings...) })
	}
}

func inSignedTown(t *testing.T, version string, f func(*town), settings ...Setting) {
	inTown(t, func(o *Options) {
		o.Station.EVSEs[0].Signs = station.SignsReadings
		o.Profiles[1] = station.NetworkProfile{URL: "ws://csms.test", MessageTimeout: 30 * time.Second, Versions: []string{version}}
		o.Settings = append(o.Settings, settings...)
	}, nil, f)
}

// signed returns all signed values in the order in which they were told; a message that came again counts once.
func (w *town) signed() (all []signedValue) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := map[string]bool{}
	for _, ev := range w.events {
		if id := fmt.Sprint(ev.TransactionInfo.TransactionID, ev.SeqNo); !seen[id] {
			seen[id] = true
			all = append(all, signedIn2(ev)...)
		}
	}
	for _, m := range w.told16 {
		all = append(all, signedIn16(m)...)
	}
	return slices.Compact(all) // 1.6 numbers nothing: what came again is equal
}

// verify judges a record by a key as it is told, and returns the watt-hours between its readings.
func (v signedValue) verify(t *testing.T, key string) int {
	t.Helper()
	wh, err := v.judge(key)
	if err != nil {
		t.Errorf("%+v: %v", v, err)
	}
	return wh
}

// endsSigned checks that the last of the values is that of the end, and counts what was billed; key is what the CSMS knows.
func (w *town) endsSigned(key string) {
	w.t.Helper()
	tx := w.settled(1, time.Minute)[0]
	all := w.signed()
	if len(all) == 0 {
		w.t.Fatalf("nothing is signed: %v", tx)
	}
	last := all[len(all)-1]
	if !last.last() {
		w.t.Errorf("the last signed value is of %s, %s", last.Event, last.Context)
	}
	if key == "" {
		key = all[0].Key
	}
	if wh := last.verify(w.t, key); wh != int(tx.Energy()/1000) || wh == 0 {
		w.t.Errorf("signed %d Wh, billed %v", wh, tx)
	}
}

// counts counts the signed values by context.
func (w *town) counts() string {
	n := map[string]int{}
	for _, v := range w.signed() {
		n[v.Context]++
	}
	var all []string
	for _, c := range []string{"Transaction.Begin", "Sample.Periodic", "Sample.Clock", "Transaction.End"} {
		if n[c] > 0 {
			all = append(all, fmt.Sprintf("%d %s", n[c], c))
		}
	}
	return strings.Join(all, ", ")
}

// A session is told as ever, and its end bears one record of all of it, with the key.
func TestSignedSession(t *testing.T) {
	signedTowns(t, func(w *town) {
		w.charge()
		w.charging(time.Minute, "a session")
		w.leave()
		w.endsSigned("")
		if all := w.signed(); len(all) != 1 {
			w.t.Errorf("%d values are signed: %+v", len(all), all)
		}
	})
}

// Which values are signed is what the variables say.
func TestWhatIsSigned(t *testing.T) {
	type row struct {
		name     string
		settings []Setting
		want     string
	}
	sampled := func(v, value string) Setting { return setting("SampledDataCtrlr", v, value) }
	aligned := func(v, value string) Setting { return setting("AlignedDataCtrlr", v, value) }
	clock := []Setting{aligned("Interval", "20"), aligned("Measurands", "Energy.Active.Import.Register"), aligned("SendDuringIdle", "false")}
	for _, r := range []row{
		{"the end", nil, "1 Transaction.End"},
		{"nothing", []Setting{sampled("SignReadings", "false")}, ""},
		{"nothing, whatever is asked for", []Setting{sampled("SignReadings", "false"), sampled("SignStartedReadings", "true"), sampled("SignUpdatedReadings", "true")}, ""},
		{"begin", []Setting{sampled("SignStartedReadings", "true"), sampled("TxStartedMeasurands", "Energy.Active.Import.Register")}, "1 Transaction.Begin, 1 Transaction.End"},
		{"samples", []Setting{sampled("SignUpdatedReadings", "true")}, "4 Sample.Periodic, 1 Transaction.End"},
		{"clock", append(clock, aligned("SignReadings", "true"), aligned("SignUpdatedReadings", "true")), "3 Sample.Clock, 1 Transaction.End"},
		{"clock, unsigned", clock, "1 Transaction.End"},
		{"clock, end alone", append(clock, sampled("SignReadings", "false"), aligned("SignReadings", "true"), aligned("TxEndedMeasurands", "Energy.Active.Import.Register")), "1 Transaction.End"},
		{"end without its register", []Setting{sampled("TxEndedMeasurands", "Voltage")}, ""},
	} {
		t.Run(r.name, func(t *testing.T) {
			signedTowns(t, func(w *town) {
				w.charge()
				w.charging(time.Minute, r.name)
				w.leave()
				w.after(time.Minute)
				if got := w.counts(); got != r.want {
					w.t.Errorf("signed %s, want %s", got, r.want)
				}
				for _, v := range w.signed() {
					v.verify(w.t, w.signed()[0].Key)
				}
			}, r.settings...)
		})
	}
}

// The key goes with no value, the first, or each.
func TestKeyOfSignedValues(t *testing.T) {
	for _, policy := range []string{"OncePerTransaction", "EveryMeterValue", "Never"} {
		for _, v := range generations {
			t.Run(policy+"/"+v, func(t *testing.T) {
				inSignedTown(t, v, func(w *town) {
					for range 2 {
						w.charge()
						w.charging(time.Minute, policy)
						w.leave()
						w.after(time.Minute)
					}
					all, keys := w.signed(), 0
					first := true // of a transaction
					for i, s := range all {
						if s.Key != "" {
							keys++
							s.verify(w.t, s.Key)
						}
						if want := policy == "EveryMeterValue" || policy == "OncePerTransaction" && first; (s.Key != "") != want {
							w.t.Errorf("value %d of %d: key %q", i, len(all), s.Key)
						}
						first = s.Context == "Transaction.End"
					}
					if want := map[string]int{"Never": 0, "OncePerTransaction": 2, "EveryMeterValue": len(all)}[policy]; keys != want || len(all) < 8 {
						w.t.Errorf("%d of %d values have the key, want %d", keys, len(all), want)
					}
				}, setting("OCPPCommCtrlr", "PublicKeyWithSignedMeterValue", policy), setting("SampledDataCtrlr", "SignUpdatedReadings", "true"))
			})
		}
	}
}

// The meter counts on while the station is killed: one record from begin to end, whether the session goes on or ended with
// the power.
func TestSignedOverPowerCuts(t *testing.T) {
	for _, resume := range []string{"0", "900"} {
		t.Run("resume "+resume, func(t *testing.T) {
			signedTowns(t, func(w *town) {
				w.charge()
				w.charging(time.Minute, "before the cut")
				w.must(w.station.PowerOff(0))
				w.after(time.Minute)
				w.must(w.station.readWorld()) // as a new process does
				w.must(w.station.PowerOn())
				w.after(time.Minute)
				w.must(w.station.PowerCycle(time.Second))
				w.after(2 * time.Minute)
				w.leave()
				w.endsSigned("")
				if all := w.signed(); len(all) != 1 {
					w.t.Errorf("%d values are signed: %+v", len(all), all)
				}
			}, setting("TxCtrlr", "ResumptionTimeout", resume))
		})
	}
}

// meterTrouble are the messages that tell that the meter does not sign: 1.6 has a code for it, 2.x its words.
func (w *town) meterTrouble() (all []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range w.faults {
		if strings.Contains(f, "the meter refuses to sign") || strings.Contains(f, "PowerMeterFailure") {
			all = append(all, f)
		}
	}
	return all
}

// refuse lets the meter refuse to sign, or no longer.
func (w *town) refuse(refuses bool) {
	w.t.Helper()
	w.must(w.station.World().SetMeter(1, halsim.MeterOptions{Refuses: &refuses}))
}

// No energy flows that the meter does not count. That it refuses is told once, and when it signs again the car charges.
func TestMeterThatRefusesToSign(t *testing.T) {
	signedTowns(t, func(w *town) {
		w.refuse(true)
		w.must(w.station.World().Plug(1, 1, halsim.PlugOptions{}))
		w.swipe()
		for range 12 {
			w.after(5 * time.Second)
			w.wantRelay(false, "while the meter refuses")
		}
		if told := w.meterTrouble(); len(told) != 1 {
			w.t.Errorf("told %q", told)
		}
		w.refuse(false)
		w.after(10 * time.Second)
		w.wantRelay(true, "when it signs again")
		w.charging(time.Minute, "when it signs again")
		w.leave()
		w.endsSigned("")
	})
}

// A meter that refuses the end: the transaction is told without a record, after the patience for it.
func TestMeterThatRefusesTheEnd(t *testing.T) {
	signedTowns(t, func(w *town) {
		w.charge()
		w.charging(time.Minute, "before the end")
		w.refuse(true)
		w.leave()
		w.after(20 * time.Second)
		if tx := w.csms.Ledger().Transactions()[0]; !tx.Open() {
			w.t.Errorf("ended before the patience was over: %v", tx)
		}
		w.after(20 * time.Second)
		w.settled(1, time.Minute)
		if all := w.signed(); len(all) != 0 {
			w.t.Errorf("signed %+v", all)
		}
		w.refuse(false)
		w.after(time.Minute)
		if told := w.meterTrouble(); len(told) != 1 {
			w.t.Errorf("told %q", told)
		}
	})
}
