package virtual

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/link/faultnet"
	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
	"github.com/evsed/evsed/storage/faultfs"
)

// town is a whole station, its CSMS and the network between them, in a bubble of virtual time: what the product is made
// of, but for TCP and for the time it takes.
type town struct {
	*bubble
	csms *csms.CSMS
	good *faultnet.Network // where the CSMS is

	excused string // what errors of the CSMS may speak of; "": nothing

	mu       sync.Mutex                              // everything below
	way      *faultnet.Network                       // where the station is sent
	line     *faultnet.Hole                          // of the newest connection
	security []msg2.SecurityEventNotificationRequest // that the CSMS has heard
	events   []*msg2.TransactionEventRequest         // repeats included
	faults   []string                                // that the CSMS was told of, raised or cleared
	told16   []msg16.Message                         // what 1.6 has in place of events
}

// inTown plays f in a town whose station has booted. edit and now may be nil.
func inTown(t *testing.T, edit func(*Options), now func() time.Time, f func(*town)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := &town{good: faultnet.NewNetwork()}
		w.way = w.good
		w.csms = csms.New(csms.Options{Now: now, Observe: w.observe, Tokens: map[term.IdToken]msg2.IdTokenInfo{
			{Value: "A", Type: term.TokenISO14443}: {Status: msg2.AuthorizationStatusAccepted}}})
		w.bubble = newBubble(t, func(o *Options) {
			o.Profiles = map[int]station.NetworkProfile{1: {URL: "ws://csms.test", MessageTimeout: 30 * time.Second}}
			o.Priority = []int{1}
			o.Settings = append(o.Settings, setting("SampledDataCtrlr", "TxUpdatedInterval", "15"),
				setting("SampledDataCtrlr", "TxUpdatedMeasurands", "Energy.Active.Import.Register,Energy.Active.Import.Interval"),
				setting("OCPPCommCtrlr", "WebSocketPingInterval", "60"),
				setting("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "5"), setting("OCPPCommCtrlr", "RetryBackOffRandomRange", "5"))
			o.Storage.Files = faultfs.New() // a device without a disk below it takes no time
			if edit != nil {
				edit(o)
			}
		})
		w.station.wire.base = w.dial
		served := make(chan error, 1)
		ctx, cancel := context.WithCancel(context.Background())
		go func() { served <- w.csms.Serve(ctx, w.good) }()
		t.Cleanup(func() { // after the station's end
			_ = w.good.Close()
			cancel()
			<-served
			time.Sleep(time.Minute) // what servers still wait for
		})
		w.start()
		f(w)
	})
}

// observe keeps what the CSMS hears.
func (w *town) observe(r csms.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch m := r.Message.(type) {
	case *msg2.SecurityEventNotificationRequest:
		w.security = append(w.security, *m)
	case *msg2.TransactionEventRequest:
		w.events = append(w.events, m)
	case *msg2.NotifyEventRequest:
		for _, ev := range m.EventData {
			w.faults = append(w.faults, fmt.Sprintf("%s %s %s: %s", ev.Component.Name, ev.Variable.Name, ev.ActualValue, ev.TechInfo.V))
		}
	}
	switch m := r.Message16.(type) {
	case *msg16.StopTransactionRequest, *msg16.MeterValuesRequest:
		w.told16 = append(w.told16, m)
	case *msg16.StatusNotificationRequest:
		w.faults = append(w.faults, fmt.Sprintf("%d %s %s: %s", m.ConnectorID, m.Status, m.ErrorCode, m.Info.V))
	}
}

// heard counts the security events of a type that the CSMS knows.
func (w *town) heard(kind string) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.security {
		if s.Type == kind {
			n++
		}
	}
	return n
}

func (w *town) dial(ctx context.Context, network, address string) (net.Conn, error) {
	w.mu.Lock()
	way := w.way
	w.mu.Unlock()
	c, err := way.Dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	h := faultnet.NewHole(c, -1, -1, faultnet.Swallow)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line = h
	return h, nil
}

// cut lets the newest connection swallow what comes behind so many bytes; < 0: nothing.
func (w *town) cut(in, out int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.line.Cut(in, out)
}

// lead sends the station to a server, and ends the connection that it has.
func (w *town) lead(way *faultnet.Network) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.way = way
	_ = w.line.Close()
}

// astray leads the station to a bad server for a while, and back.
func (w *town) astray(bad http.Handler, d time.Duration) {
	n := faultnet.NewNetwork()
	s := &http.Server{Handler: bad, ErrorLog: log.New(io.Discard, "", 0)}
	served := make(chan error, 1)
	go func() { served <- s.Serve(n) }()
	w.lead(n)
	w.after(d)
	w.lead(w.good)
	_ = n.Close()
	_ = s.Close()
	<-served
}

// charge begins a session of a small car: the simulated meter writes a file for each watt-hour, which takes longer than all
// the rest.
func (w *town) charge() {
	w.t.Helper()
	current, phases := 6*unit.Ampere, uint8(1)
	w.must(w.station.World().Plug(1, 1, halsim.PlugOptions{EV: halsim.EVOptions{MaxCurrent: &current, Phases: &phases}}))
	w.swipe()
	w.after(10 * time.Second)
	w.wantRelay(true, "after card and car")
}

// charging lets the car charge on for a while, and checks every ten seconds that it does.
func (w *town) charging(d time.Duration, when string) {
	w.t.Helper()
	for ; d > 0; d -= 10 * time.Second {
		w.after(10 * time.Second)
		w.wantRelay(true, when)
	}
}

// leave ends the session: the car goes.
func (w *town) leave() {
	w.t.Helper()
	_, err := w.station.World().Unplug(1, 1, halsim.UnplugOptions{})
	w.must(err)
	w.after(5 * time.Second)
	w.wantRelay(false, "after the car has gone")
}

// settled waits until the CSMS knows everything, and checks its books: every transaction has one start, one end, every
// number once and unchanged, and the energy that the meter counted.
func (w *town) settled(transactions int, patience time.Duration) []csms.Transaction {
	w.t.Helper()
	for ; w.station.Status().Pending > 0 && patience > 0; patience -= time.Second {
		w.after(time.Second)
	}
	if n := w.station.Status().Pending; n > 0 {
		w.t.Fatalf("%d messages still wait: %+v", n, w.station.Status())
	}
	all := w.csms.Ledger().Transactions()
	if len(all) != transactions {
		w.t.Errorf("%d transactions, want %d", len(all), transactions)
	}
	for _, wrong := range append(w.csms.Ledger().Check(nil), w.csms.Ledger().Errors()...) {
		if w.excused == "" || !strings.Contains(wrong, w.excused) {
			w.t.Error(wrong)
		}
	}
	var billed unit.Energy
	for _, tx := range all {
		if tx.Started != 1 || tx.Ended != 1 {
			w.t.Errorf("%d starts and %d ends: %v", tx.Started, tx.Ended, tx)
		}
		billed += tx.Energy()
	}
	if counted := w.station.World().State().EVSEs[0].Energy; billed != counted || billed == 0 {
		w.t.Errorf("billed %d mWh, counted %d", billed, counted)
	}
	return all
}
