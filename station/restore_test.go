package station_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/stationtest"
	"github.com/evsed/evsed/station/term"
)

func newStation(t testing.TB) *station.Station {
	t.Helper()
	n := 0
	s, err := station.New(station.Config{Identity: station.Identity{Vendor: "V", Model: "M"}, Name: "CS1", EVSEs: stationtest.DefaultEVSEs(), Bays: true,
		NewID: func() string { n++; return fmt.Sprintf("N%d", n) }})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestRestoreRefusesWhatItCannotUse(t *testing.T) {
	for _, r := range []station.Record{
		{Bucket: station.BucketMeta, Key: "boots", Value: []byte("many")},
		{Bucket: station.BucketVariable, Key: "TxCtrlr/Nothing", Value: []byte("1")},
		{Bucket: station.BucketVariable, Key: "TxCtrlr/EVConnectionTimeOut", Value: []byte("never")},
		{Bucket: station.BucketEVSE, Key: "x", Value: []byte("{}")},
		{Bucket: station.BucketEVSE, Key: "1", Value: []byte("{")},
		{Bucket: station.BucketTransaction, Key: "T", Value: []byte("{}")},
		{Bucket: station.BucketTransaction, Key: "T", Value: []byte(`{"id":"T","seq":-1}`)},
		{Bucket: station.BucketTransaction, Key: "T", Value: []byte(`{"id":"T","seq":9000000000}`)},
		{Bucket: station.BucketLocalList, Key: "head", Value: []byte("[]")},
		{Bucket: station.BucketNetwork, Key: "x", Value: []byte("{}")},
		{Bucket: station.BucketNetwork, Key: "1", Value: []byte("1")},
		{Bucket: station.BucketAuthCache, Key: "x", Value: []byte("x")},
		{Bucket: station.BucketReservation, Key: "7", Value: []byte("{}")},
		{Bucket: station.BucketReservation, Key: "8", Value: []byte(reservation7)},
		{Bucket: station.BucketCertificate, Key: "CSMSRootCertificate/00", Value: []byte(`{"use":"CSMSRootCertificate","chain":["MAA="],"seq":1}`)},
		{Bucket: station.BucketCertificate, Key: "signing", Value: []byte(`{"n":1,"key":"k","csr":"-"}`)},
		{Bucket: station.BucketCertificate, Key: "signing", Value: []byte(`{"n":9000000000}`)},
		{Bucket: station.BucketEnd, Key: "x"},
	} {
		if err := newStation(t).Restore(r); err == nil {
			t.Errorf("restore %v %q %q: no error", r.Bucket, r.Key, r.Value)
		}
	}
}

const reservation7 = `{"id":7,"seq":1,"evse":9,"expiry":"2036-01-05T11:00:02Z","token":{"v":"ALICE","t":"ISO14443"}}`

// FuzzRestore: no stored bytes make the station panic, now or later, and every transaction that it takes over ends.
func FuzzRestore(f *testing.F) {
	f.Add(uint8(station.BucketTransaction), "T1", []byte(`{"id":"T1","ref":{"e":1,"c":1},"seq":3,"state":"Charging","grant":{"token":{"v":"A","t":"Central"}}}`))
	f.Add(uint8(station.BucketTransaction), "T1", []byte(`{"id":"T1","ref":{"e":9,"c":1},"seq":3,"ending":{"trigger":"RemoteStop"}}`))
	f.Add(uint8(station.BucketEVSE), "1.1", []byte(`{"inoperative":true,"scheduled":1}`))
	f.Add(uint8(station.BucketNetwork), "1", []byte(`{"url":"ws://x"}`))
	f.Add(uint8(station.BucketReservation), "7", []byte(reservation7)) // of an EVSE that is gone
	f.Add(uint8(station.BucketCertificate), "signing", []byte(`{"n":7,"key":"k","cn":"S1","o":"Operator","trigger":true}`))
	f.Add(uint8(station.BucketCertificate), "CSMSRootCertificate/00", []byte(`{"use":"CSMSRootCertificate","chain":["MAA="],"seq":1,"issuer":"AA=="}`))
	f.Add(uint8(station.BucketVariable), "TxCtrlr/TxStopPoint", []byte(`EnergyTransfer`))
	f.Fuzz(func(t *testing.T, bucket uint8, key string, value []byte) {
		s := newStation(t)
		if err := s.Restore(station.Record{Bucket: station.Bucket(bucket), Key: key, Value: value}); err != nil {
			return
		}
		now := time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
		s.Start(now, now)
		step := func(ev station.Event) { now = now.Add(time.Second); s.Step(now, ev) }
		for _, e := range stationtest.DefaultEVSEs() {
			for _, c := range e.Connectors {
				step(station.PilotChanged{Ref: term.Ref{EVSE: e.ID, Connector: c.ID}, State: term.StateA})
			}
			step(station.MeterRead{EVSE: e.ID, Reading: hal.MeterReading{At: now, Import: unit.Energy(1) << 50}})
		}
		for range 40 {
			step(nil)
		}
		if out := s.Step(now, station.RequestReceived{ID: 1, Request: station.GetTransactionStatus{Transaction: "T1"}}); len(out.Responses) != 1 {
			t.Errorf("%d responses", len(out.Responses))
		}
	})
}
