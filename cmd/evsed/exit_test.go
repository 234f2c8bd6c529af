package main

import (
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/evsed/evsed/ocpp/csms"
)

// exitWithin tells a process that ends, which takes well under a second, from one that hangs, on any machine.
const exitWithin = 10 * time.Second

// terminate sends SIGTERM and checks how the process ends.
func (p *process) terminate() {
	p.t.Helper()
	start := time.Now()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	err := p.cmd.Wait()
	took := time.Since(start)
	if err != nil || took > exitWithin {
		p.t.Errorf("SIGTERM: %v after %v, want exit code 0 within %v\n%s", err, took, exitWithin, p.out.String())
	}
	p.cmd = nil
}

func TestTerminate(t *testing.T) {
	deaf, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer deaf.Close()
	for _, test := range []struct {
		name string
		url  string // "" : a CSMS
		do   func(p *process, c *csms.CSMS)
	}{
		{"at once", "", func(*process, *csms.CSMS) {}},
		{"connected", "", func(p *process, _ *csms.CSMS) { p.connected() }},
		{"no CSMS", "ws://127.0.0.1:1", func(*process, *csms.CSMS) {}},
		{"a CSMS that never speaks", "ws://" + deaf.Addr().String(), func(*process, *csms.CSMS) {}},
		{"charging", "", func(p *process, _ *csms.CSMS) { p.charge() }},
		{"a CSMS that falls silent", "", func(p *process, c *csms.CSMS) {
			p.connected()
			c.On("TransactionEvent", func(csms.Request) csms.Answer { return csms.Answer{Ignore: true} })
			p.charge()
		}},
		{"no power", "", func(p *process, _ *csms.CSMS) { p.do("/power", `{"on":false}`) }},
		{"planned power", "", func(p *process, _ *csms.CSMS) { p.do("/power", `{"cycle":true,"offMs":60000}`) }},
		{"somebody waits for events", "", func(p *process, _ *csms.CSMS) {
			go func() {
				if resp, err := http.Get(p.api + "/events?since=999999&waitMs=60000"); err == nil {
					resp.Body.Close()
				}
			}()
			time.Sleep(50 * time.Millisecond) // of another process: the call is on its way
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c, url := backend(t, nil)
			if test.url != "" {
				url = test.url
			}
			p := newProcess(t, url)
			p.boot()
			test.do(p, c)
			before := p.state()
			p.terminate()
			if strings.Contains(p.out.String(), "level=ERROR") {
				t.Error(p.out.String())
			}
			p.boot()
			after := p.state()
			for i, e := range before.EVSEs {
				if len(after.EVSEs) <= i || after.EVSEs[i].EnergyWh < e.EnergyWh {
					t.Errorf("EVSE %d: %+v before, %+v after", i+1, before.EVSEs, after.EVSEs)
				}
			}
			if strings.Contains(p.out.String(), "STO-") {
				t.Errorf("something was not flushed:\n%s", p.out.String())
			}
			if tx := before.EVSEs[0].Transaction; tx != nil {
				p.until("the transaction is known again", func() bool {
					got := p.state().EVSEs[0].Transaction
					return got != nil && *got == *tx
				})
			}
		})
	}
}

func (p *process) connected() {
	p.t.Helper()
	p.until("the CSMS accepts the station", func() bool { return p.state().Station.Connected })
}

// charge lets ALICE charge at EVSE 1.
func (p *process) charge() {
	p.t.Helper()
	p.connected()
	p.do("/evses/1/plug", `{"ev":{"socPercent":5,"capacityWh":100000}}`)
	p.do("/swipe", `{"idToken":"ALICE","type":"ISO14443","evses":[1]}`)
	p.until("the car charges", func() bool { return p.state().EVSEs[0].Relay })
}
