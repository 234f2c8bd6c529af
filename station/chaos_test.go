package station_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/stationtest"
	"github.com/evsed/evsed/station/term"
)

// liar makes events in any order, true or not: a guard that contradicts itself, replies to nothing, readings of no EVSE.
type liar struct{ *rand.Rand }

func (r liar) ref() term.Ref {
	return term.Ref{EVSE: term.EVSEID(r.IntN(4)), Connector: term.ConnectorID(r.IntN(4))}
}

func (r liar) token() term.IdToken {
	return term.IdToken{Value: []string{"A", "B", "", "M"}[r.IntN(4)], Type: term.TokenISO14443}
}

func (r liar) yes() bool { return r.IntN(2) == 0 }

func (r liar) info() term.TokenInfo {
	st := []term.TokenStatus{term.TokenAccepted, term.TokenBlocked, term.TokenInvalid, "Nonsense"}[r.IntN(4)]
	info := term.TokenInfo{Status: st}
	if r.yes() {
		info.EVSEs = []term.EVSEID{term.EVSEID(r.IntN(4))}
	}
	return info
}

// signed is an answer of a meter, but for a begin that never was.
func (r liar) signed() station.Event {
	ev := station.MeterSigned{EVSE: term.EVSEID(r.IntN(4)), Transaction: term.TransactionID([]string{"T1", "T2", "T3", ""}[r.IntN(4)]), Step: station.SignStep(r.IntN(4))}
	if r.yes() || ev.Step == station.SignedBegin {
		ev.Err = "no"
	}
	if r.yes() {
		ev.Signed = &hal.SignedReading{Data: make([]byte, r.IntN(50_000)), PublicKey: make([]byte, r.IntN(2000)), Reading: hal.MeterReading{Import: unit.Energy(r.IntN(5))}}
	}
	if r.IntN(5) == 0 {
		return station.MeterKey{EVSE: ev.EVSE, Key: make([]byte, r.IntN(2000))}
	}
	return ev
}

func (r liar) event(now time.Time) station.Event {
	switch r.IntN(22) {
	case 21:
		return r.signed()
	case 18:
		n := uint64(r.IntN(4))
		return []station.Event{station.FetchProgress{Number: n}, station.FetchEnded{Number: n, Digest: []byte{1}}, station.FetchEnded{Number: n, Code: "x", Final: r.yes()},
			station.InstallEnded{Number: n, Version: "2"}, station.InstallEnded{Number: n, Code: "x", Unfit: r.yes(), Forged: r.yes()}, station.Activated{Number: n, Live: r.yes()},
			station.Activated{Number: n, Code: "x"}, station.ImageProved{}, station.FetchEnded{Number: n, Verdict: "ok"}}[r.IntN(9)]
	case 0, 1, 2:
		return station.PilotChanged{Ref: r.ref(), State: term.PilotState(r.IntN(7))}
	case 3:
		return station.CableChanged{Ref: r.ref(), Present: r.yes(), Rating: unit.Current(r.IntN(64)) * unit.Ampere}
	case 4, 5:
		return station.PowerChanged{Ref: r.ref(), Closed: r.yes()}
	case 6:
		return station.LockChanged{Ref: r.ref(), Locked: r.yes(), Failed: r.IntN(4) == 0}
	case 7:
		return station.OfferChanged{Ref: r.ref(), Current: unit.Current(r.IntN(3)) * 16 * unit.Ampere}
	case 8:
		return station.FaultChanged{Ref: r.ref(), Fault: term.Fault(r.IntN(40)), Active: r.IntN(4) == 0, Info: "\xff\xfe"}
	case 9, 10:
		return station.MeterRead{EVSE: term.EVSEID(r.IntN(4)), Reading: hal.MeterReading{At: now.Add(-time.Duration(r.IntN(9)) * time.Second),
			Phases: uint8(r.IntN(4)), Import: unit.Energy(r.IntN(5)), Power: unit.Power(r.IntN(5000))}}
	case 11, 12:
		return station.TokenRead{Token: r.token(), EVSEs: []term.EVSEID{term.EVSEID(r.IntN(4))}[:r.IntN(2)]}
	case 13:
		return station.StopPressed{EVSE: term.EVSEID(r.IntN(4))}
	case 14:
		return station.BayChanged{EVSE: term.EVSEID(r.IntN(4)), Occupied: r.yes()}
	case 15:
		return []station.Event{station.LinkUp{}, station.LinkDown{}, station.AuthRefused{}, station.PowerFailing{}, station.BadMessage{Info: "\xff"},
			station.Thinned{}, nil, station.CSRMade{Number: uint64(r.IntN(3)), PEM: "-----BEGIN"}, station.CSRMade{Number: 1, Code: "CSR"},
			station.LinkUp{SecurityProfile: 3, Root: cert.SumOf(nil), Own: cert.SumOf([]byte{1})}}[r.IntN(10)]
	case 16:
		return station.ClockSet{Wall: time.Unix(r.Int64N(1<<33), 0), Source: "NTP"}
	case 17:
		return station.StorageChanged{Code: []string{"", "STO-FULL"}[r.IntN(2)]}
	}
	return r.reply()
}

// reply answers something, or nothing that was ever asked.
func (r liar) reply() station.Event {
	bodies := []station.ReportBody{station.BootNotification{}, station.Heartbeat{}, station.Authorize{Token: r.token()}, station.StatusNotification{},
		station.NotifyReport{}, station.ChargingProfiles{}, station.SignCertificate{CSR: "x"}, &station.TransactionEvent{Transaction: "T1", Token: r.token()}}
	replies := []station.Reply{station.BootReply{Status: station.RegistrationAccepted, Interval: -5}, station.HeartbeatReply{}, station.Acknowledged{}, station.SignReply{Accepted: r.yes()},
		station.TokenReply{Has: true, Info: r.info()}, station.Unanswered{}, station.Refused{Code: "x"}}
	return station.ReplyReceived{ID: station.ReportID(r.IntN(200)), Of: bodies[r.IntN(len(bodies))], Reply: replies[r.IntN(len(replies))]}
}

// TestChaos: no order of events, true or not, makes the station panic, spin, count wrong, give energy without a
// transaction or answer a request twice.
func TestChaos(t *testing.T) {
	for n := range *seeds {
		r := liar{rand.New(rand.NewPCG(n, 11))}
		s := story(r)
		b := stationtest.New(stationtest.Options{Bays: true, Firmware: true})
		do := func(text string) { _ = b.Do(text) } // an impossible line is refused, a broken invariant kept
		do("boot signs=" + s.pick("nothing", "transactions", "readings"))
		do("set AuthCtrlr/MasterPassGroupId=M " + s.setting())
		do("link up")
		do("meter 1 unsigned") // a lie of the pilot lets a contactor close behind the end
		do("advance 1s")
		mono := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
		for range 150 {
			switch r.IntN(8) {
			case 0:
				do(s.line())
			case 1:
				do("advance 1s")
			default:
				_ = b.Step(r.event(mono))
			}
			if b.Station == nil {
				do("boot")
			}
			if err := b.Err(); err != nil {
				t.Fatalf("seed %d: %v", n, err)
			}
			b.Output()
		}
	}
}

// TestSameStorySameTrace: the same events give the same outputs, to the last character.
func TestSameStorySameTrace(t *testing.T) {
	trace := func(n uint64) string {
		r := story{rand.New(rand.NewPCG(n, 5))}
		b := stationtest.New(stationtest.Options{Bays: true})
		out := ""
		for _, l := range []string{"boot", "link up", "request SetNetworkProfile slot=1 url=ws://a", "request SetNetworkProfile slot=2 url=ws://b",
			"request GetBaseReport id=1 FullInventory", "advance 3s"} {
			_ = b.Do(l)
		}
		for range 80 {
			if b.Station == nil {
				_ = b.Do("boot")
			}
			_ = b.Do(r.line())
			out += b.Output()
		}
		return out
	}
	for n := range uint64(20) {
		if a, b := trace(n), trace(n); a != b {
			t.Fatalf("seed %d: two traces\n%s", n, firstDifference(a, b))
		}
	}
}
