package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/csms"
	"github.com/evsed/evsed/ocpp/msg2"
)

// TestKillWhileTheMeterSigns kills the station while a car charges, and again around the end of the transaction. The meter is a
// device of its own and counts on: the end bears one record of all of the transaction, by the key that goes with it.
func TestKillWhileTheMeterSigns(t *testing.T) {
	var mu sync.Mutex
	var ended *msg2.TransactionEventRequest
	c, url := backend(t, func(r csms.Request) {
		if ev, ok := r.Message.(*msg2.TransactionEventRequest); ok && ev.EventType == msg2.TransactionEventEnded {
			mu.Lock()
			defer mu.Unlock()
			ended = ev
		}
	})
	p := newProcess(t, url, variable("OCPPCommCtrlr", "RetryBackOffWaitMinimum", "1"), variable("OCPPCommCtrlr", "RetryBackOffRandomRange", "0"))
	seed, err := os.ReadFile(p.seed)
	if err != nil {
		t.Fatal(err)
	}
	signing := strings.Replace(string(seed), `"maxCurrentA":32}`, `"maxCurrentA":32,"signing":"ocmf"}`, 1)
	if err := os.WriteFile(p.seed, []byte(signing), 0o600); err != nil || signing == string(seed) {
		t.Fatalf("no EVSE to sign (%v)", err)
	}
	p.boot()
	p.connected()
	p.do("/evses/1/plug", `{"ev":{"socPercent":5,"capacityWh":100000}}`)
	p.do("/swipe", `{"idToken":"ALICE","type":"ISO14443","evses":[1]}`)
	rng := rand.New(rand.NewPCG(3, 4))
	killed := func(most int) {
		time.Sleep(time.Duration(rng.IntN(most)) * time.Millisecond) // a real process in real time: it is killed anywhere
		p.kill()
		p.boot()
	}
	for range kills() {
		p.until("the car charges", func() bool { return p.state().EVSEs[0].Relay })
		before := p.state().EVSEs[0].EnergyWh
		p.until("the meter counts", func() bool { return p.state().EVSEs[0].EnergyWh > before })
		killed(500)
	}
	p.until("the car charges", func() bool { return p.state().EVSEs[0].Relay })
	p.do("/stop", `{}`)
	killed(300)
	p.until("the transaction has ended and everything is told", func() bool {
		s, all := p.state(), c.Ledger().Transactions()
		if s.EVSEs[0].Transaction != nil {
			p.do("/stop", `{}`) // where the first was lost
		}
		return s.Station.Connected && s.EVSEs[0].Transaction == nil && s.Station.PendingMessages == 0 && len(all) == 1 && !all[0].Open()
	})
	mu.Lock()
	defer mu.Unlock()
	tx := c.Ledger().Transactions()[0]
	if err := wholeRecord(ended, tx.Energy()); err != nil || tx.Energy() == 0 {
		t.Errorf("%v: %v", tx, err)
	}
}

// wholeRecord verifies the record that an end bears, by the key beside it.
func wholeRecord(ended *msg2.TransactionEventRequest, energy unit.Energy) error {
	if ended == nil {
		return fmt.Errorf("no end was told")
	}
	for _, m := range ended.MeterValue {
		for _, s := range m.SampledValue {
			r, ok := s.SignedMeterValue.Get()
			if !ok {
				continue
			}
			key, err := ocmf.ParseKey(r.PublicKey.V)
			if err != nil {
				return err
			}
			text, err := base64.StdEncoding.DecodeString(r.SignedMeterData)
			if err != nil {
				return err
			}
			records, err := ocmf.ParseAll(text)
			if err != nil {
				return err
			}
			want := fmt.Sprintf(`"TX":"E","RV":%d.%06d,`, energy/unit.KiloWattHour, energy%unit.KiloWattHour) // the meter began at 0
			if j := ocmf.Judge(records, &key); !j.Good() || !strings.Contains(string(text), want) || !strings.Contains(string(text), `"TX":"B","RV":0.000000,`) {
				return fmt.Errorf("judged %+v, want %s: %s", j, want, text)
			}
			return nil
		}
	}
	return fmt.Errorf("the end bears no record")
}
