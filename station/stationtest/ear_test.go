package stationtest

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/station"
)

// heardOf plays lines and returns what was heard.
func heardOf(t *testing.T, lines string) (*Ear, []Heard) {
	t.Helper()
	var all []Heard
	e := NewEar(Options{}, func(h Heard) error { all = append(all, h); return nil })
	for _, l := range strings.Split(strings.TrimSpace(lines), "\n") {
		if err := e.Do(strings.TrimSpace(l)); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	}
	return e, all
}

const earStory = `boot
	link up
	advance 2s
	plug 1.1
	swipe ALICE
	advance 70s
	link down
	advance 70s
	link up
	advance 5s
	powercut off=5s
	link up
	advance 5s
	request Reset Immediate
	advance 20s
	request UnlockConnector 1.1
	advance 5s
	unplug 1.1
	advance 5s`

// The Ear hears every event that the CSMS heard, and what it does is what the Bench does without it.
func TestEarMissesNothing(t *testing.T) {
	e, all := heardOf(t, earStory)
	b := New(Options{})
	for _, l := range strings.Split(earStory, "\n") {
		if err := b.Do(strings.TrimSpace(l)); err != nil {
			t.Fatalf("%s: %v", l, err)
		}
	}
	if got, want := e.Bench().Output(), b.Output(); got != want {
		t.Errorf("the Ear changed the story: got\n%s\nwant\n%s", got, want)
	}
	heard, reports := map[string]bool{}, 0
	for _, h := range all {
		if h.Report == nil {
			continue
		}
		reports++
		if ev, ok := h.Report.Body.(*station.TransactionEvent); ok {
			heard[string(ev.Transaction)+string(rune('0'+ev.SeqNo))] = true
		}
	}
	for tx, events := range b.csms.heard {
		for seq := range events {
			if !heard[string(tx)+string(rune('0'+seq))] {
				t.Errorf("%s: event %d was not heard", tx, seq)
			}
		}
	}
	if len(heard) < 4 || reports < 20 {
		t.Errorf("heard %d events, %d reports: this story has more", len(heard), reports)
	}
}

// A response is heard once, whether it comes at once or waits for the lock.
func TestEarHearsLateResponses(t *testing.T) {
	_, all := heardOf(t, `boot
		link up
		set OCPPCommCtrlr/UnlockOnEVSideDisconnect=false
		plug 1.1
		swipe ALICE
		advance 5s
		unplug 1.1 ev
		advance 2s
		request GetLocalListVersion
		request UnlockConnector 1.1
		advance 2s
		lock 1.1 jammed
		get TxCtrlr/EVConnectionTimeOut`)
	var got []string
	for _, h := range all {
		if h.Response != nil {
			got = append(got, kindOfRequest(h.Request)+" "+describeResponse(*h.Response))
		}
	}
	want := []string{"SetVariables OCPPCommCtrlr/UnlockOnEVSideDisconnect Accepted", "GetLocalListVersion version 0", "UnlockConnector Unlocked",
		"GetVariables TxCtrlr/EVConnectionTimeOut=120 Accepted"}
	if strings.Join(got, "; ") != strings.Join(want, "; ") {
		t.Errorf("got %q\nwant %q", got, want)
	}
}

func kindOfRequest(r station.Request) string {
	switch r.(type) {
	case station.SetVariables:
		return "SetVariables"
	case station.GetVariables:
		return "GetVariables"
	case station.UnlockConnector:
		return "UnlockConnector"
	}
	return "GetLocalListVersion"
}

func TestEarRefuses(t *testing.T) {
	for _, bad := range []string{"dance", "request Dance", "request Reset", "set A/B=1", "get A/B", "swipe ALICE", "advance soon"} {
		e := NewEar(Options{}, func(Heard) error { return nil })
		if err := e.Do(bad); err == nil {
			t.Errorf("%s: done without power", bad)
		}
	}
	e, _ := heardOf(t, "boot")
	for _, bad := range []string{"dance", "request Dance", "get A", "set A=1"} {
		if err := e.Do(bad); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
