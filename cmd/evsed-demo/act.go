package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/term"
)

// place reads "1" or "2.2"; the first connector is meant where none is named.
func place(args []string, i int) (term.Ref, error) {
	if len(args) <= i {
		return term.Ref{EVSE: 1, Connector: 1}, nil
	}
	evse, connector, named := strings.Cut(args[i], ".")
	e, err := strconv.Atoi(evse)
	c := 1
	if named && err == nil {
		c, err = strconv.Atoi(connector)
	}
	if err == nil {
		for _, t := range topology {
			if int(t.ID) == e && c >= 1 && c <= len(t.Connectors) {
				return term.Ref{EVSE: t.ID, Connector: t.Connectors[c-1].ID}, nil
			}
		}
	}
	return term.Ref{}, fmt.Errorf("%s: there are 1, 2.1 and 2.2", shorten(args[i]))
}

func (d *demo) plug(_ context.Context, args []string) error {
	at, err := place(args, 0)
	if err != nil {
		return err
	}
	return d.station.World().Plug(at.EVSE, at.Connector, halsim.PlugOptions{})
}

func (d *demo) unplug(_ context.Context, args []string) error {
	at, err := place(args, 0)
	if err != nil {
		return err
	}
	done, err := d.station.World().Unplug(at.EVSE, at.Connector, halsim.UnplugOptions{Orderly: true})
	if err == nil && !done {
		d.paper.plain("the driver waits for the lock; swipe or stop opens it")
	}
	return err
}

func (d *demo) swipe(_ context.Context, args []string) error {
	s := halsim.Swipe{Token: card("DEMO")}
	for i, a := range args {
		if _, err := strconv.Atoi(a); err == nil {
			at, err := place(args, i)
			if err != nil {
				return err
			}
			s.EVSEs = []term.EVSEID{at.EVSE}
			continue
		}
		s.Token = card(strings.ToUpper(a))
	}
	return d.station.World().Swipe(s)
}

func (d *demo) stop(_ context.Context, args []string) error {
	var at term.Ref
	if len(args) > 0 {
		var err error
		if at, err = place(args, 0); err != nil {
			return err
		}
	}
	if !d.station.Post(station.StopPressed{EVSE: at.EVSE}) {
		return errors.New("nobody there: the station has no power")
	}
	return nil
}

// cutOrUp reads the one word of net and power.
func cutOrUp(name string, args []string) (up bool, err error) {
	switch {
	case len(args) == 1 && args[0] == "cut":
		return false, nil
	case len(args) == 1 && args[0] == "up":
		return true, nil
	}
	return false, fmt.Errorf("usage: %s cut|up", name)
}

func (d *demo) net(_ context.Context, args []string) error {
	up, err := cutOrUp("net", args)
	if err != nil {
		return err
	}
	return network(up)(d)
}

func (d *demo) power(_ context.Context, args []string) error {
	up, err := cutOrUp("power", args)
	switch {
	case err != nil:
		return err
	case up:
		return d.station.PowerOn()
	}
	return d.station.PowerOff(0)
}

func (d *demo) fault(_ context.Context, args []string) error {
	names := faultNames()
	if len(args) == 0 || args[0] == "?" {
		d.list(names)
		return nil
	}
	if args[0] == "clear" {
		err := d.station.World().ClearFaults()
		d.station.Service(term.Ref{})
		return err
	}
	code, ok := term.ParseFault(args[0])
	if !ok {
		if near := strict.Nearest(args[0], names); near != "" {
			return fmt.Errorf("%s: no such fault; %s? (fault ? lists all)", shorten(args[0]), near)
		}
		return fmt.Errorf("%s: no such fault; fault ? lists all", shorten(args[0]))
	}
	at, err := place(args, 1)
	if err != nil {
		return err
	}
	err = d.station.World().SetFault(halsim.FaultOptions{Ref: at, Code: code, Active: true})
	if errors.Is(err, halsim.ErrBadValue) && len(args) == 1 { // a fault of the station as a whole
		err = d.station.World().SetFault(halsim.FaultOptions{Code: code, Active: true})
	}
	return err
}

func faultNames() (names []string) {
	for f := term.FaultNone + 1; ; f++ {
		if _, ok := term.ParseFault(f.String()); !ok {
			return names
		}
		names = append(names, f.String())
	}
}

// list prints words, as many on a line as fit.
func (d *demo) list(words []string) {
	row := ""
	for _, w := range words {
		if len(row)+2+len(w) > width {
			d.paper.plain(row)
			row = ""
		}
		row += "  " + w
	}
	d.paper.plain(row)
}

func (d *demo) rate(_ context.Context, args []string) error {
	if len(args) == 1 {
		if r, err := strconv.ParseFloat(args[0], 64); err == nil && r >= 1 && r <= maxRate {
			return d.station.SetRate(r)
		}
	}
	return fmt.Errorf("usage: rate 1..%d", maxRate)
}

func (d *demo) status(context.Context, []string) error {
	st := d.station.Status()
	d.paper.plain(fmt.Sprintf("%s  %s  up %v  boots %d", name, choose(st.Powered, "powered", "NO POWER"), st.Uptime.Round(time.Second), st.Boots))
	csms := "not connected"
	if version, connected := d.csms.Connected(name); !st.Network {
		csms = "NETWORK CUT"
	} else if connected {
		csms = "connected, OCPP " + version.String()
	}
	d.paper.plain(fmt.Sprintf("csms    %s  queue %d", csms, st.Pending))
	for _, e := range d.station.World().State().EVSEs {
		d.paper.plain(fmt.Sprintf("evse %d  state %v  relay %-6s  %5s A  %6s kW  meter %s", e.ID, e.Pilot, choose(e.Relay, "closed", "open"),
			tenths(int64(e.Current[0])), tenths(int64(e.Power)/1000), kWh(e.Energy)))
		for _, c := range e.Connectors {
			told := d.told(term.Ref{EVSE: e.ID, Connector: c.ID})
			d.paper.plain(fmt.Sprintf("   %d.%d  %-11s  %-9s  %s", e.ID, c.ID, choose(c.AtEV, "car plugged", "no car"), choose(c.Locked, "locked", ""), told))
		}
	}
	return nil
}

// tenths writes a milli-quantity with one decimal.
func tenths(milli int64) string { return fmt.Sprintf("%d.%d", milli/1000, milli%1000/100) }

func (d *demo) ledger(context.Context, []string) error {
	told := d.csms.Ledger().Transactions()
	for i := range told {
		d.paper.plain(told[i].String())
	}
	if len(told) == 0 {
		d.paper.plain("no transactions yet: plug, then swipe")
	}
	for _, e := range d.csms.Ledger().Errors() {
		d.paper.plain("error: " + e)
	}
	return nil
}
