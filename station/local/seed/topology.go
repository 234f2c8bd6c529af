package seed

import (
	"fmt"
	"slices"
	"strings"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/term"
)

// Bounds of the topology.
const (
	maxEVSEs      = 32
	maxConnectors = 8
	maxEvseID     = 38              // EVSE.EvseId
	leastCurrent  = 6 * unit.Ampere // the least that a pilot can offer (IEC 61851-1, duty table)
	mostCurrent   = 80 * unit.Ampere
	mostFuse      = 1000 * unit.Ampere
)

// Connector types of OCPP 2.1 (appendix, ConnectorEnumStringType): captive cables and sockets for AC, and the rest.
var (
	cables  = []string{"cType2", "cType1", "cNACS", "cTesla"}
	sockets = []string{
		"sType2", "sType1", "sType3", "s309-1P-16A", "s309-1P-32A", "s309-3P-16A", "s309-3P-32A", "sBS1361", "sCEE-7-7",
		"Other1PhMax16A", "Other1PhOver16A", "Other3Ph",
	}
	others = []string{
		"cCCS1", "cCCS2", "cChaoJi", "cG105", "cGBT-DC", "cLECCS", "cMCS", "cNACS-CCS1", "cCCS1-NACS", "cUltraChaoJi",
		"wInductive", "wResonant", "Pan", "Undetermined", "Unknown",
	}
)

func (d *decoder) topology(top *strict.Members) {
	if v := top.Value("evses"); v != nil && v.Kind == strict.Array && len(v.Items) == 0 {
		top.Fail("evses", "empty: leave it out for one EVSE")
	}
	top.Each("evses", maxEVSEs, d.evse)
	if top.Value("evses") == nil {
		d.add(station.EVSE{ID: 1, Phases: 3, MaxCurrent: 32 * unit.Ampere, Connectors: []station.Connector{fixed(1, "cType2")}})
	}
}

func fixed(id term.ConnectorID, kind string) station.Connector {
	return station.Connector{ID: id, Type: kind, Tethered: true}
}

func (d *decoder) evse(i int, v *strict.Value) {
	o := d.Object(v, "id", "evseId", "powerType", "phases", "maxCurrentA", "iso15118", "signing", "connectors")
	e := station.EVSE{ID: term.EVSEID(i + 1)}
	if id := strict.Int(o, "id", 1, maxEVSEs); id != nil && *id != i+1 {
		o.Fail("id", fmt.Sprintf("%d: want %d: ids run from 1 without a gap", *id, i+1))
	}
	e.Name = strict.Or(d.label(o, "evseId", maxEvseID), "")
	if t := strict.Word(o, "powerType", "AC", "DC"); t != nil && *t == "DC" {
		o.Fail("powerType", "DC is not supported by this build: want AC")
	}
	if p := strict.Or(strict.Int(o, "phases", 0, 9), 3); p == 1 || p == 3 {
		e.Phases = p
	} else {
		o.Fail("phases", fmt.Sprintf("%d: want 1 or 3", p))
	}
	e.MaxCurrent = strict.Or(strict.Milli(o, "maxCurrentA", leastCurrent, mostCurrent), 32*unit.Ampere)
	if strict.Or(strict.Flag(o, "iso15118"), false) {
		o.Fail("iso15118", "ISO 15118 is not supported by this build: want false")
	}
	if strict.Or(strict.Word(o, "signing", "none", "ocmf"), "none") == "ocmf" {
		e.Signs = station.SignsReadings
	}
	o.Each("connectors", maxConnectors, func(j int, v *strict.Value) { e.Connectors = append(e.Connectors, d.connector(j, v)) })
	if o.Value("connectors") == nil {
		e.Connectors = []station.Connector{fixed(1, "cType2")}
	} else if len(e.Connectors) == 0 {
		o.Fail("connectors", "empty: leave it out for one with a fixed cable")
	}
	d.add(e)
}

func (d *decoder) connector(j int, v *strict.Value) station.Connector {
	o := d.Object(v, "id", "type")
	if id := strict.Int(o, "id", 1, maxConnectors); id != nil && *id != j+1 {
		o.Fail("id", fmt.Sprintf("%d: want %d: ids run from 1 without a gap", *id, j+1))
	}
	c := fixed(term.ConnectorID(j+1), strict.Or(strict.Word(o, "type", slices.Concat(cables, sockets, others)...), "cType2"))
	if slices.Contains(others, c.Type) {
		o.Fail("type", fmt.Sprintf("%q is not supported by this build: want one of %s", c.Type, strings.Join(slices.Concat(cables, sockets), ", ")))
	}
	c.Tethered = slices.Contains(cables, c.Type)
	return c
}

// add appends an EVSE to the station and to its world, where every socket has a lock.
func (d *decoder) add(e station.EVSE) {
	w := halsim.EVSE{ID: e.ID, Phases: uint8(e.Phases), MaxCurrent: e.MaxCurrent, Signs: e.Signs != station.SignsNothing}
	for _, c := range e.Connectors {
		w.Connectors = append(w.Connectors, halsim.Connector{ID: c.ID, Socket: !c.Tethered, Lock: !c.Tethered, Light: d.s.Lights})
	}
	d.s.EVSEs, d.s.World = append(d.s.EVSEs, e), append(d.s.World, w)
}

// siteFuse keeps each EVSE below the fuse of the site. Several together can still pass it: nobody shares the fuse
// between them yet, and the warning says so.
func (d *decoder) siteFuse(top *strict.Members) {
	fuse := strict.Milli(top, "siteFuseA", leastCurrent, mostFuse)
	if fuse == nil {
		return
	}
	var sum unit.Current
	for i := range d.s.EVSEs {
		d.s.EVSEs[i].MaxCurrent = min(d.s.EVSEs[i].MaxCurrent, *fuse)
		d.s.World[i].MaxCurrent = d.s.EVSEs[i].MaxCurrent
		sum += d.s.EVSEs[i].MaxCurrent
	}
	if sum > *fuse {
		d.warn(top.Value("siteFuseA"), fmt.Sprintf("the EVSEs may draw %v together: this build keeps each below the fuse, but does not share it", sum))
	}
}
