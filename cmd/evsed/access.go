package main

import (
	"context"
	"errors"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/sim"
	"github.com/evsed/evsed/station/local/virtual"
)

// access is the virtual station as the simulator API wants it.
type access struct{ a *agent }

// Post hands an event to the station. It is called while the station is still being made, too.
func (x access) Post(ev station.Event) bool {
	s := x.a.station
	return s != nil && s.Post(ev)
}

// Ask puts a request to the station.
func (x access) Ask(ctx context.Context, r station.Request) (station.Response, error) {
	resp, err := x.a.station.Ask(ctx, r)
	if errors.Is(err, virtual.ErrNoPower) {
		err = sim.ErrOff
	}
	return resp, err
}

func (a *agent) simOptions(o runOptions) sim.Options {
	return sim.Options{
		Listen: o.listen, Version: release, Identity: a.seed.Name, Firmware: a.firmware(), World: func() sim.World { return a.station.World() },
		Station: access{a}, Facts: a.facts, Log: a.events, Power: a.station, Clock: a.station, Network: a.network,
		Service: a.station.Service, StageList: a.stageList, FactoryReset: a.station.FactoryReset, PlanUpload: a.station.PlanUpload, PlanFirmware: a.planFirmware, Keys: keys16{a.seed.EVSEs}, Logger: a.log,
	}
}

func (a *agent) firmware() string {
	if v := a.seed.Identity.FirmwareVersion; v != "" && a.slots == nil {
		return v
	}
	return release
}

func (a *agent) network(n sim.Network) error { return a.station.SetNetwork(n.Up, n.Latency, n.Loss) }

func (a *agent) facts() sim.Facts {
	st := a.station.Status()
	return sim.Facts{Powered: st.Powered, NetworkUp: st.Network, Protocol: st.Protocol, URL: st.URL, Pending: st.Pending,
		Uptime: st.Uptime, Clock: a.station.Clock().Wall(), Firmware: st.Firmware}
}

func (a *agent) planFirmware(p sim.FirmwarePlan) error {
	plan := virtual.FirmwarePlan{Download: p.Download, Signature: p.Signature, Install: p.Install, Unfit: p.Unfit, Step: p.Step, Live: !p.Reboot}
	if !a.station.PlanFirmware(plan) {
		return sim.ErrNotSimulated
	}
	return nil
}

func (a *agent) stageList(version int, entries []sim.ListEntry) (station.SendLocalList, error) {
	staged := make([]virtual.ListEntry, len(entries))
	for i, e := range entries {
		staged[i] = virtual.ListEntry(e)
	}
	r, err := a.station.StageList(version, staged)
	if errors.Is(err, virtual.ErrNoPower) {
		err = sim.ErrOff
	}
	return r, err
}

var _ sim.World = (*halsim.World)(nil)
