package sim

import (
	"strings"
	"testing"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/term"
)

// What a light shows, what it blinks, and why a card is refused are events.
func TestLogTellsOfLightsAndRefusals(t *testing.T) {
	l := newLog()
	w, err := halsim.New(halsim.Config{Clock: l.now, Observe: l.world, EVSEs: []halsim.EVSE{
		{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []halsim.Connector{{ID: 1, Light: true}}}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	in, err := w.Indicator(term.Ref{EVSE: 1, Connector: 1})
	if err != nil || in.Show(hal.IndicateReserved) != nil || in.Dim(40*unit.OnePercent) != nil || in.Blink(hal.SignalRefused, 3) != nil {
		t.Fatal("the light does not obey", err)
	}
	l.Output(&station.Output{Commands: []station.Command{
		station.Signal{EVSEs: []term.EVSEID{2}, Kind: hal.SignalRefused, Code: "RESERVE-OTHER-TOKEN", Times: 3},
		station.Signal{Kind: hal.SignalRefused, Code: "AUTH-BLOCKED"}, station.Signal{Kind: hal.SignalAccepted, Times: 3}}})
	b, _ := l.since(0)
	var got []string
	for _, e := range b.Events {
		got = append(got, e.Type+" "+term.Ref{EVSE: e.EVSE, Connector: e.Connector}.String()+" "+string(e.Data))
	}
	want := []string{
		`light 1.1 {"color":"yellow","levelPercent":100,"shows":"reserved"}`,
		`light 1.1 {"color":"yellow","levelPercent":40,"shows":"reserved"}`,
		`signal 1.1 {"color":"red","signal":"refused","times":3}`,
		`refusal 2 {"code":"RESERVE-OTHER-TOKEN"}`,
		`refusal 0 {"code":"AUTH-BLOCKED"}`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	s := lightAt(w.State().EVSEs[0].Connectors[0].Light)
	if s.Signal == nil || *s.Signal != "refused" || s.Left != 3 || s.Color != "red" || s.Shows != "reserved" {
		t.Errorf("state %+v", s)
	}
}
