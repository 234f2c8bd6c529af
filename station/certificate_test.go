package station_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/stationtest"
)

// moment is what happens to a station whose certificates are managed.
func (r story) moment() string {
	switch r.IntN(12) {
	case 0, 1, 2, 3:
		return "request " + r.certificate()
	case 4:
		return "request TriggerMessage SignChargingStationCertificate"
	case 5:
		return "request CertificateSigned by=A" + r.pick("", "", " unwanted", " life=2h")
	case 6:
		return "powercut " + r.pick("", "before", "after")
	case 7, 8:
		return r.pick("link down", fmt.Sprintf("link up root=%s profile=%d", r.pick("A", "A", "B<A", "B"), 2+r.IntN(2)))
	case 9:
		return r.pick("csms signs", "csms signs", "csms signs not", "csms mute", "csms answer", "keys lost", "keys works", "keys works slow=90s", "storage STO-FULL", "storage ok", "storage ok")
	}
	return "advance " + r.pick("0s", "150ms", "1s", "10s", "2m", "10m", "2h")
}

// TestCertificateStories: whatever a CSMS, its authorities, the key store and the power do, the station has the key of what it
// shows, leaks none, holds no more CSMS roots than it may, and knows the same roots behind a restart.
func TestCertificateStories(t *testing.T) {
	for n := uint64(1); n <= *seeds/2; n++ {
		t.Run(fmt.Sprint(n), func(t *testing.T) { manage(t, n) })
	}
}

func manage(t *testing.T, n uint64) {
	r := story{rand.New(rand.NewPCG(n, 17))}
	b := stationtest.New(stationtest.Options{})
	var told []string
	do := func(text string) {
		told = append(told, text)
		_ = b.Do(text) // what cannot be said now is refused, a broken invariant kept
		b.Output()
		err := b.Err()
		if err == nil {
			err = b.CertificatesWhole()
		}
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", n, err, strings.Join(told, "\n"))
		}
	}
	strict := r.IntN(2) == 0
	do("boot")
	do("set SecurityCtrlr/OrganizationName=Operator SecurityCtrlr/CertSigningWaitMinimum=5")
	do(fmt.Sprintf("override SecurityCtrlr/AdditionalRootCertificateCheck=%t", strict))
	do("link up root=A profile=3")
	do("advance 1s")
	for range 80 {
		if b.Station == nil {
			do("boot")
		}
		do(r.moment())
		if b.Station == nil {
			continue
		}
		roots := b.Station.Roots(cert.CSMSRootCertificate)
		if strict && len(roots) > 2 {
			t.Fatalf("seed %d: %d CSMS roots\n%s", n, len(roots), strings.Join(told, "\n"))
		}
		if r.IntN(10) == 0 {
			do("powercut")
			if b.Station == nil { // a cut that had been planned came in its first step
				do("boot")
			}
			if again := b.Station.Roots(cert.CSMSRootCertificate); !slices.EqualFunc(roots, again, bytes.Equal) {
				t.Fatalf("seed %d: other roots behind a restart\n%s", n, strings.Join(told, "\n"))
			}
		}
	}
}
