package link

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// taken counts the requests among n that are not refused for the sake of the flash.
func (h *talk) taken(n int, first, action string) (taken int) {
	h.log = nil
	for i := range n {
		h.call(fmt.Sprint(first, i), action, "{}")
		if h.log[len(h.log)-1] != fmt.Sprintf("> error %s%d GenericError", first, i) {
			taken++
			h.out(h.e.Respond(h.clock, station.Response{ID: h.e.in.next - 1, Body: station.Status{Status: "Accepted"}}))
		}
	}
	h.log = nil
	return taken
}

func TestRequestsThatAreKeptAreRationed(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	if n := h.taken(2*KeptBurst, "a", "ClearCache"); n != KeptBurst {
		t.Errorf("%d requests taken at once, want %d", n, KeptBurst)
	}
	if n := h.taken(10, "b", "GetVariables"); n != 10 {
		t.Errorf("%d of 10 requests taken that are not kept", n)
	}
	h.close()
	h.open()
	if n := h.taken(10, "c", "ClearCache"); n != 0 {
		t.Errorf("%d requests taken after a reconnect, want none", n)
	}
	h.pass(7 * KeptEvery)
	if n := h.taken(10, "d", "ClearCache"); n != 7 {
		t.Errorf("%d requests taken after %v, want 7", n, 7*KeptEvery)
	}
	h.pass(3 * KeptBurst * KeptEvery)
	if n := h.taken(2*KeptBurst, "e", "ClearCache"); n != KeptBurst {
		t.Errorf("%d requests taken after a long rest, want %d", n, KeptBurst)
	}
}

// TestEveryRequestIsRationedOrHarmless has an opinion on every kind of request there is.
func TestEveryRequestIsRationedOrHarmless(t *testing.T) {
	rows := []struct {
		request station.Request
		kept    bool
	}{
		{station.ChangeAvailability{}, true},
		{station.ClearCache{}, true},
		{station.CustomerInformation{Clear: true}, true},
		{station.CustomerInformation{Report: true}, false}, // a few reports under way at once
		{station.DataTransfer{}, false},                    // known to nobody
		{station.GetBaseReport{}, false},                   // as CustomerInformation
		{station.GetReport{}, false},
		{station.GetVariables{}, false},
		{station.SetVariables{}, true},
		{station.GetLocalListVersion{}, false},
		{station.SendLocalList{}, false}, // has a budget of its own
		{station.GetTransactionStatus{}, false},
		{station.RequestStart{}, true},
		{station.RequestStop{}, true},
		{station.Reset{}, true},
		{station.SetNetworkProfile{}, true},
		{station.RaiseSecurity{}, true},
		{station.TriggerMessage{Message: "TransactionEvent"}, true},
		{station.TriggerMessage{Message: "MeterValues"}, false},
		{station.UnlockConnector{}, true},
		{station.ReserveNow{}, true},
		{station.CancelReservation{}, true},
		{station.SetChargingProfile{}, true},
		{station.ClearChargingProfile{}, true},
		{station.GetChargingProfiles{}, false},
		{station.GetCompositeSchedule{}, false},
		{station.OverrideVariables{}, false}, // of local interfaces alone
		{station.GetInventory{}, false},
		{station.ListVariables{}, false},
		{station.PutAuthCache{}, false},
		{station.GetDiagnosticState{}, false},
		{station.GetLog{}, false}, // uploads have a ration of their own
	}
	known := map[string]bool{}
	for _, row := range rows {
		known[strings.TrimPrefix(fmt.Sprintf("%T", row.request), "station.")] = true
		if kept(row.request) != row.kept {
			t.Errorf("%+v: kept %v", row.request, !row.kept)
		}
	}
	source, err := os.ReadFile("../../station/request.go")
	if err != nil {
		t.Fatal(err)
	}
	kinds := regexp.MustCompile(`(?m)^func \((\w+)\) request\(\)`).FindAllSubmatch(source, -1)
	if len(kinds) < 20 {
		t.Fatalf("%d kinds of request in the source", len(kinds))
	}
	for _, kind := range kinds {
		if !known[string(kind[1])] {
			t.Errorf("what may a CSMS do with %s?", kind[1])
		}
	}
}

// TestRefusalsSayTheSame holds the words by which a CSMS, and who reads its log, knows why it was refused. The session goes
// on behind each.
func TestRefusalsSayTheSame(t *testing.T) {
	ask := func(h *talk, id, action string) string {
		o := h.e.Frame(h.clock, fmt.Appendf(nil, `[2,%q,%q,{}]`, id, action))
		if len(o.Frames) != 1 {
			return fmt.Sprintf("%d frames, %d events", len(o.Frames), len(o.Events))
		}
		return string(o.Frames[0])
	}
	for _, test := range []struct {
		name, action, want string
		spoil              func(*Engine)
	}{
		{"flash", "ClearCache", `[4,"x","GenericError","too much that is kept; try later",{}]`, func(e *Engine) { e.kept = budget{KeptBurst, epoch} }},
		{"lists", listAction, `[4,"x","GenericError","too much that is kept; try later",{}]`, func(e *Engine) { e.lists = budget{ListBurst, epoch} }},
		{"two lists", listAction, `[4,"x","GenericError","another list is being taken; try later",{}]`, func(e *Engine) { e.in.calls = []inCall{{action: listAction, due: epoch.Add(time.Hour)}} }},
		{"without an answer", "GetVariables", `[4,"x","GenericError","too many requests without a response",{}]`, func(e *Engine) {
			e.in.calls = slices.Repeat([]inCall{{id: "before", due: epoch.Add(time.Hour)}}, MaxInbound)
		}},
	} {
		h := newTalk(t, rpc.V21)
		h.accepted()
		test.spoil(h.e)
		if got := ask(h, "x", test.action); got != test.want {
			t.Errorf("%s: %s", test.name, got)
		}
		h.e.in.calls = nil
		if got := ask(h, "y", "GetVariables"); got != "0 frames, 1 events" {
			t.Errorf("%s: the next request: %s", test.name, got)
		}
	}
}

// The core compares the size with what the device model promises to take (D01.FR.11 and the like).
func TestRequestTellsItsSize(t *testing.T) {
	h := newTalk(t, rpc.V201)
	h.accepted()
	o := h.e.Frame(h.clock, []byte(`[2,"c","ClearCache",{ "a": 1 }]`))
	if r, ok := o.Events[0].(station.RequestReceived); !ok || r.Size != len(`{ "a": 1 }`) {
		t.Errorf("got %+v", o.Events)
	}
}
