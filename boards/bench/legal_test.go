package bench_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/hal/meter/ocmf"
	"github.com/evsed/evsed/hal/unit"
	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/station/term"
)

// legal gives EVSE 1 a meter that signs, with the key that the board says.
func legal(key string) func(*boards.Board) {
	return func(b *boards.Board) {
		m := b.EVSEs[0].Meter
		m.Model, m.Address, m.Legal, m.PublicKey = "iskra/wm3m4", 33, true, key
	}
}

// signed returns what the meter signed in the end of a transaction that the CSMS heard.
func signed(e *msg2.TransactionEventRequest) (all []msg2.SignedMeterValue) {
	for _, v := range e.MeterValue {
		for _, s := range v.SampledValue {
			if s.SignedMeterValue.Has {
				all = append(all, s.SignedMeterValue.V)
			}
		}
	}
	return all
}

// TestLegalMeter: from a WM3M4 at the bus of a board to the CSMS, which gets one record of begin and end that its key verifies, with
// the driver's card in it.
func TestLegalMeter(t *testing.T) {
	t.Parallel()
	atSite(t, socket, legal("from-meter"), func(s *site) {
		s.charge()
		s.after(10 * time.Minute)
		s.swipe()
		s.until("the CSMS hears the end", time.Minute, func() bool {
			s.mu.Lock()
			defer s.mu.Unlock()
			return len(s.ends) > 0
		})
		records := signed(&s.ends[0])
		if len(s.ends) != 1 || len(records) != 1 {
			s.Fatalf("%d ends, %d records", len(s.ends), len(records))
		}
		printed, err := base64.StdEncoding.DecodeString(records[0].PublicKey.V)
		s.must(err)
		key, err := ocmf.ParseKey(strings.TrimPrefix(string(printed), "oca:base16:asn1:"))
		s.must(err)
		data, err := base64.StdEncoding.DecodeString(records[0].SignedMeterData)
		s.must(err)
		all, err := ocmf.ParseAll(data)
		s.must(err)
		if j := ocmf.Judge(all, &key); !j.Good() {
			s.Errorf("%+v", j)
		}
		if id := all[0].Identification(); id != s.ends[0].TransactionInfo.TransactionID+" "+cardText || len(s.said()) > 0 {
			s.Errorf("the record is of %q; the CSMS has heard %v", id, s.said())
		}
	})
}

// TestMeterWithAnotherKey: a meter that is not the one that the board names counts nothing that can be billed. No energy flows, and
// the CSMS hears why, once.
func TestMeterWithAnotherKey(t *testing.T) {
	t.Parallel()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := x509.MarshalPKIXPublicKey(&k.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	atSite(t, wallbox, legal(hex.EncodeToString(other)), func(s *site) {
		amps := 8 * unit.Ampere
		s.must(s.World(func(w *halsim.World) error {
			return w.Plug(1, 1, halsim.PlugOptions{EV: halsim.EVOptions{MaxCurrent: &amps}})
		}))
		s.after(2 * time.Second)
		s.swipe()
		s.until("the CSMS hears of it", time.Minute, func() bool { return len(s.said()) > 0 })
		s.after(10 * time.Minute)
		s.once(term.FaultMeter.String(), false)
		if info := s.said()[0].info; !strings.Contains(info, boards.ErrKey.Error()) {
			s.Errorf("the CSMS is told %q", info)
		}
		if s.closed() || s.State().EVSEs[0].Power > 0 {
			s.Error("the car charges")
		}
	})
}
