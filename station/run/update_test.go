package run

import (
	"slices"
	"testing"

	"github.com/evsed/evsed/station"
)

// orders notes what it is asked for.
type orders []station.Command

func (o *orders) Fetch(c station.Fetch)       { *o = append(*o, c) }
func (o *orders) CancelFetch(number uint64)   { *o = append(*o, station.CancelFetch{Number: number}) }
func (o *orders) Install(c station.Install)   { *o = append(*o, station.Install{Number: c.Number}) }
func (o *orders) Activate(c station.Activate) { *o = append(*o, c) }

func TestUpdateOrders(t *testing.T) {
	var o orders
	r := Runner{ports: Ports{Update: &o}}
	all := []station.Command{station.Fetch{Number: 1, URL: "u", Resume: true}, station.CancelFetch{Number: 1}, station.Activate{Number: 2}}
	for _, c := range all {
		r.command(c)
	}
	if !slices.EqualFunc(o, all, func(a, b station.Command) bool { return a == b }) || len(r.events) > 0 {
		t.Errorf("%v, %v", o, r.events)
	}
	r.command(station.Install{Number: 3, Digest: []byte{1}})
	if len(o) != 4 {
		t.Errorf("%v", o)
	}
}

// Where nothing can carry out an update, each step of it fails at once.
func TestNoUpdates(t *testing.T) {
	var r Runner
	for _, c := range []station.Command{station.Fetch{Number: 1}, station.CancelFetch{Number: 1}, station.Install{Number: 2}, station.Activate{Number: 3}} {
		r.command(c)
	}
	if len(r.events) != 3 {
		t.Fatalf("%v", r.events)
	}
	if f := r.events[0].(station.FetchEnded); f.Number != 1 || f.Code != CodeNoUpdates || !f.Final {
		t.Errorf("%+v", f)
	}
	if i := r.events[1].(station.InstallEnded); i.Number != 2 || i.Code != CodeNoUpdates {
		t.Errorf("%+v", i)
	}
	if a := r.events[2].(station.Activated); a.Number != 3 || a.Code != CodeNoUpdates {
		t.Errorf("%+v", a)
	}
}
