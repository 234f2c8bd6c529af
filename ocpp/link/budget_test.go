package link

import (
	"fmt"
	"testing"

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

func TestOneTriggerIsKept(t *testing.T) {
	for r, want := range map[station.Request]bool{
		station.TriggerMessage{Message: "TransactionEvent"}: true,
		station.TriggerMessage{Message: "MeterValues"}:      false,
		station.CustomerInformation{Clear: true}:            true,
		station.CustomerInformation{Report: true}:           false,
	} {
		if kept(r) != want {
			t.Errorf("%+v: kept %v", r, !want)
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
