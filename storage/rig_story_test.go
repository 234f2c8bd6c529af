package storage_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// sessions are twenty stories, each from the first start of a station on.
var sessions = [20]string{
	"plug 1;advance 1s;swipe ALICE;advance 70s;swipe ALICE;advance 3s;unplug 1",
	"advance 2s;reserve 1 ALICE;advance 1s;swipe ALICE;advance 1s;plug 1;advance 20s;unplug 1",
	"plug 1;swipe ALICE;advance 5s;unplug 1;advance 1s;plug 1;swipe BOB;advance 10s;swipe BOB;unplug 1",
	"plug 1;advance 1s;swipe ALICE;advance 2s;plug 2;advance 1s;swipe BOB;advance 65s;unplug 1;advance 2s;unplug 2",
	"set AuthCtrlr/OfflineTxForUnknownIdEnabled=true;down;plug 1;swipe ALICE;advance 200s;up;advance 5s;unplug 1",
	"plug 1;swipe ALICE;advance 10s;down;advance 130s;unplug 1;advance 10s;up",
	"set TxCtrlr/TxStartPoint=EVConnected;plug 1;advance 5s;swipe ALICE;advance 30s;unplug 1",
	"set TxCtrlr/TxStartPoint=Authorized;set TxCtrlr/TxStopPoint=Authorized;swipe ALICE;advance 3s;plug 2;advance 20s;swipe ALICE;advance 1s;unplug 2",
	"set TxCtrlr/TxStartPoint=EnergyTransfer;set TxCtrlr/TxStopPoint=EnergyTransfer;plug 1;swipe ALICE;advance 10s;unplug 1",
	"set SampledDataCtrlr/TxUpdatedInterval=5;plug 1;swipe ALICE;advance 60s;swipe ALICE;unplug 1",
	"set SampledDataCtrlr/TxEndedInterval=5;plug 1;swipe ALICE;advance 120s;unplug 1",
	"set AlignedDataCtrlr/Interval=60;plug 1;swipe ALICE;advance 130s;unplug 1",
	"profile 2 1800;plug 1;swipe ALICE;advance 5s;profile 2 20;advance 5s;unplug 1",
	"plug 1;remote 1 CAROL;advance 10s;stop;advance 2s;unplug 1",
	"plug 1;swipe ALICE;advance 10s;reset Immediate;advance 40s;unplug 1",
	"plug 1;swipe ALICE;advance 10s;reset OnIdle;advance 5s;unplug 1;advance 20s",
	"available 0 no;plug 1;swipe ALICE;advance 2s;available 0 yes;advance 1s;swipe ALICE;advance 10s;unplug 1",
	"advance 2s;reserve 2 BOB;plug 1;swipe ALICE;advance 10s;available 2 no;available 0 no;advance 1s;unplug 1;advance 1s;available 0 yes;available 2 yes;advance 1s;reserve 1 BOB",
	"fault;plug 1;swipe ALICE;advance 5s;fault;advance 5s;unplug 1;advance 1s;plug 1;swipe BOB;advance 5s;unplug 1",
	"plug 1;swipe ALICE;advance 3s;unplug 1;plug 2;swipe BOB;advance 3s;unplug 2;plug 1;swipe ALICE;advance 3s;unplug 1;plug 2;swipe BOB;advance 3s;unplug 2",
}

// tell tells one line of a story; what is not possible any more does not happen.
func (w *world) tell(text string) {
	l := strings.Fields(text)
	word := func(i int) string {
		if i < len(l) {
			return l[i]
		}
		return ""
	}
	at := term.EVSEID(1)
	if word(1) == "2" {
		at = 2
	}
	switch l[0] {
	case "advance":
		d, err := time.ParseDuration(l[1])
		if err != nil {
			panic(err)
		}
		w.advance(d)
	case "plug", "unplug":
		w.post(at).plug(l[0] == "plug")
		w.advance(200 * time.Millisecond)
	case "swipe":
		w.handle(station.TokenRead{Token: term.IdToken{Value: l[1], Type: term.TokenISO14443}})
	case "down":
		w.line.wanted = false
		w.line.hang(w)
	case "up":
		w.line.wanted = true
		w.line.redial(w)
	case "fault":
		w.handle(station.FaultChanged{Fault: term.FaultTamper, Active: true, Info: "lid"})
		w.handle(station.FaultChanged{Fault: term.FaultTamper})
	default:
		w.demand(l, word, at)
	}
	w.fall()
	w.advance(100 * time.Millisecond)
}

// demand makes the request of a line.
func (w *world) demand(l []string, word func(int) string, at term.EVSEID) {
	if w.runner == nil {
		return
	}
	switch l[0] {
	case "set":
		name, value, _ := strings.Cut(l[1], "=")
		component, variable, _ := strings.Cut(name, "/")
		w.ask(station.SetVariables{Items: []model.SetItem{{Component: model.Component{Name: component}, Variable: model.Variable{Name: variable}, Value: value}}}, true)
	case "profile":
		n := 0
		_, _ = fmt.Sscan(word(2), &n)
		w.ask(station.SetNetworkProfile{Slot: int(at), Profile: station.NetworkProfile{URL: "ws://csms/" + strings.Repeat("x", n), SecurityProfile: 0, MessageTimeout: 30 * time.Second}}, true)
	case "remote":
		w.ask(station.RequestStart{EVSE: at, RemoteStartID: 7, Token: term.IdToken{Value: word(2), Type: term.TokenCentral}}, true)
	case "stop":
		w.handle(station.StopPressed{})
	case "reserve":
		w.reserve(at, word(2))
	case "reset":
		w.ask(station.Reset{Kind: station.ResetKind(word(1))}, true)
	case "available":
		ref := term.Ref{EVSE: at}
		if word(1) == "0" {
			ref = term.Ref{}
		}
		w.ask(station.ChangeAvailability{Ref: ref, Operative: word(2) == "yes"}, true)
	default:
		panic("unknown line " + l[0])
	}
}

// random returns a line of a random story.
func (w *world) random() string {
	pick := func(words ...string) string { return words[w.rng.IntN(len(words))] }
	evse := pick("1", "2")
	switch w.rng.IntN(20) {
	case 0, 1, 2:
		return "plug " + evse
	case 3, 4:
		return "unplug " + evse
	case 5, 6, 7, 8:
		return "swipe " + pick("ALICE", "BOB", "CAROL")
	case 9:
		return pick("down", "up", "up")
	case 10:
		return "set SampledDataCtrlr/" + pick("TxUpdatedInterval=5", "TxUpdatedInterval=60", "TxEndedInterval=7", "TxEndedInterval=0")
	case 11:
		return "set TxCtrlr/" + pick("TxStartPoint=EVConnected", "TxStartPoint=PowerPathClosed", "TxStopPoint=EVConnected", "TxStopPoint=Authorized,EVConnected")
	case 12:
		return "profile " + evse + pick(" 10", " 1500")
	case 13:
		return pick("remote "+evse+" DAVE", "stop", "fault", "reserve "+evse+" "+pick("ALICE", "BOB"))
	case 14:
		return pick("reset Immediate", "reset OnIdle", "available "+evse+" yes", "available "+evse+" no", "available "+evse+" yes")
	}
	return "advance " + pick("1s", "3s", "10s", "70s", "200s")
}

// settle heals the world, sends every car away and waits until everything is told.
func (w *world) settle() {
	w.boot()
	w.line.wanted = true
	if w.runner != nil && !w.line.up {
		w.line.redial(w)
	}
	for _, p := range w.posts {
		p.plug(false)
	}
	for i := 0; i < 60 && w.err == nil; i++ {
		w.boot()
		w.advance(10 * time.Second)
		if i > 18 && w.runner != nil && w.store.OutboxLen() == 0 && len(w.keeper.promised) == 0 {
			break
		}
	}
}

// Whole is told and audited.
func (w *world) audit() {
	w.settle()
	if w.err == nil && w.runner == nil {
		w.fail("the station has no power")
	}
	if w.err == nil {
		w.csms.audit()
	}
}
