package station

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/evsed/evsed/station/cert"
	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/term"
)

// signing is the way to a new Charging Station Certificate (A02, A03):
//
//	none -> making -> asking -> waiting -> none     a certificate has come, or nothing came in the end
//	                    ^  |        |
//	                    +--+--------+               no answer, or no certificate: asked again after a pause that doubles
//
// What is kept of it is a record: with it a restart goes on where the power went.
type signing struct {
	signingRecord
	phase   phase
	next    time.Time   // in asking and waiting: when it is asked again, monotonic
	tries   int         // pauses that have passed
	renewal time.Time   // a renewal is not begun before, monotonic
	ration  term.Ration // of what the CSMS may ask for
}

// signingRecord is what is kept. Fields may be added, never renamed.
type signingRecord struct {
	Number  uint64 `json:"n"`             // of the request; grows
	Key     string `json:"key,omitempty"` // of the new pair; "" : none was asked for
	CSR     string `json:"csr,omitempty"` // "" : not made yet
	Asked   string `json:"cn,omitempty"`  // common name asked for
	Org     string `json:"o,omitempty"`
	Done    bool   `json:"done,omitempty"`    // a certificate came, or nobody waits for one any more
	Trigger bool   `json:"trigger,omitempty"` // the CSMS wanted it
}

type phase uint8

const (
	signNone phase = iota
	signMaking
	signAsking
	signWaiting
)

const (
	// signingKey is the record's key among the certificates, whose keys have a slash.
	signingKey = "signing"
	// maxCSR is the longest signing request in characters (SignCertificateRequest.csr).
	maxCSR = 5500
	// signBurst is how many key pairs in a row a CSMS may have made, and signEvery how long it takes until it may have one
	// more: a TPM works for seconds on each.
	signBurst = 8
	signEvery = time.Minute
	// renewBefore is when a certificate is renewed before it expires (A03.FR.02); of one that lives short it is a third of its
	// life.
	renewBefore = 30 * 24 * time.Hour
	// renewAgain is the longest pause after a renewal that came to nothing.
	renewAgain = 24 * time.Hour
	// renewSoonest is the shortest such pause.
	renewSoonest = 10 * time.Minute
	// maxSignNumber keeps requestId an integer of OCPP.
	maxSignNumber = 1<<31 - 1
)

// triggerSigning has a new key pair made and a certificate asked for, as the CSMS wants (A02.FR.02).
func (s *Station) triggerSigning() Status {
	g := &s.certs.signing
	switch org := s.organization(); {
	case org == "": // A00.FR.509
		return rejected("MissingDevModelInfo", "SecurityCtrlr.OrganizationName is not set")
	case s.storage != "":
		return rejected("OutOfStorage", s.storage)
	case g.ration.Spent(s.now, signBurst, signEvery):
		return rejected("Unspecified", "too many key pairs; try later")
	case g.phase == signMaking: // that one will do
		g.Trigger = true
		return accepted()
	}
	g.ration.Take(s.now, signBurst, signEvery)
	s.startSigning(true)
	return accepted()
}

// organization is the O of a signing request (A00.FR.509): the operator's name, or, until a CSMS has told it, that of the
// certificate in force.
func (s *Station) organization() string {
	if o := s.model.Text(model.OrganizationName); o != "" {
		return o
	}
	if e := s.certs.store.Own(cert.ChargingStationCertificate, cert.InForce); e != nil && len(e.Chain[0].Subject.Organization) > 0 {
		return e.Chain[0].Subject.Organization[0]
	}
	return ""
}

// commonName is the CN of a signing request (A00.FR.511): the serial number, and the identity where the station has none.
func (s *Station) commonName() string {
	if n := s.cfg.Identity.SerialNumber; n != "" {
		return n
	}
	return s.model.Text(model.Identity)
}

// startSigning begins with a new key pair; one that was asked for before, and that nobody needs, goes.
func (s *Station) startSigning(trigger bool) {
	g := &s.certs.signing
	s.dropSigningKey()
	g.signingRecord = signingRecord{Number: g.Number%maxSignNumber + 1, Key: s.cfg.NewID(), Asked: s.commonName(), Org: s.organization(), Trigger: trigger}
	g.tries, g.next = 0, time.Time{}
	s.makeCSR()
}

// makeCSR orders the key pair and the request. The name of the key is durable before the key is made, so that none is lost.
func (s *Station) makeCSR() {
	g := &s.certs.signing
	g.phase = signMaking
	s.keepSigning()
	s.command(MakeCSR{Number: g.Number, Use: cert.ChargingStationCertificate, Key: g.Key, Algorithm: cert.P256, CommonName: g.Asked, Organization: g.Org})
}

// csrMade takes the answer to MakeCSR.
func (s *Station) csrMade(ev CSRMade) {
	g := &s.certs.signing
	if g.phase != signMaking || ev.Number != g.Number {
		return
	}
	if ev.Code != "" || len(ev.PEM) > maxCSR || !cert.ValidCSR(ev.PEM) {
		s.endSigning()
		return
	}
	g.CSR, g.phase = ev.PEM, signAsking
	s.keepSigning()
	s.askSign()
}

// askSign sends the request (A02.FR.03). One that the CSMS has triggered goes before the registration too.
func (s *Station) askSign() {
	g := &s.certs.signing
	g.next = time.Time{}
	if !s.maySign() {
		return // signingTimers has it sent when the CSMS is there
	}
	g.phase = signWaiting
	s.report(Now, "", SignCertificate{CSR: g.CSR, Use: cert.ChargingStationCertificate, RequestID: int(g.Number)})
	if g.Trigger {
		s.early()
	}
}

func (s *Station) maySign() bool {
	g := &s.certs.signing
	return s.online() || g.Trigger && s.boot.linked && s.boot.status == RegistrationPending
}

// signAnswered takes what the CSMS said to a SignCertificate.
func (s *Station) signAnswered(body SignCertificate, reply Reply) {
	g := &s.certs.signing
	if g.phase != signWaiting || body.CSR != g.CSR || g.Done {
		return
	}
	switch r := reply.(type) {
	case SignReply:
		if !r.Accepted { // A02.FR.12: it would not accept the same request again
			s.endSigning()
			return
		}
		g.next = s.now.Add(s.signPause()) // A02.FR.17
	case Unanswered: // the connection is gone, or the CSMS is silent
		if !s.boot.linked || s.mayRepeat() {
			g.phase, g.next = signAsking, s.now.Add(s.signPause())
		}
	default: // refused, or no word for it
		s.endSigning()
	}
}

// signPause is how long the station waits for the certificate before it asks again: it doubles (A02.FR.18).
func (s *Station) signPause() time.Duration {
	return s.model.Duration(model.CertSigningWaitMinimum) << min(s.certs.signing.tries, s.model.Int(model.CertSigningRepeatTimes))
}

// signingTimers asks again when a pause is over, until it has doubled as often as it may (A02.FR.19), and renews.
func (s *Station) signingTimers() {
	g := &s.certs.signing
	switch {
	case g.phase == signAsking && (g.next.IsZero() || s.due(g.next)):
		s.askSign()
	case g.phase == signWaiting && s.due(g.next):
		if s.mayRepeat() {
			g.phase = signAsking
			s.askSign()
		}
	}
	s.renew()
}

// mayRepeat counts a pause that has passed; the last of them ends the request.
func (s *Station) mayRepeat() bool {
	g := &s.certs.signing
	if g.tries++; g.tries > s.model.Int(model.CertSigningRepeatTimes)+1 {
		s.endSigning()
		return false
	}
	return true
}

// endSigning gives a request up. What it asked for is still taken if it comes (A02.FR.19 forbids asking alone).
func (s *Station) endSigning() {
	g := &s.certs.signing
	g.phase, g.next = signNone, time.Time{}
	g.renewal = s.now.Add(s.renewPause())
	if g.CSR == "" {
		s.dropSigningKey()
		g.signingRecord = signingRecord{Number: g.Number}
	}
	g.Done = true
	s.keepSigning()
}

// dropSigningKey destroys the pending key unless an installed certificate has it.
func (s *Station) dropSigningKey() {
	if k := s.certs.signing.Key; k != "" && !s.certs.store.Holds(k) {
		s.command(DropKey{Key: k})
	}
}

// renew asks for a new certificate before the one in force expires (A03.FR.02).
func (s *Station) renew() {
	g := &s.certs.signing
	if at := s.renewalDue(); !at.IsZero() && !s.now.Before(at) && s.online() && s.storage == "" {
		g.renewal = s.now.Add(s.renewPause())
		if s.organization() != "" {
			s.startSigning(false)
		}
	}
}

// renewPause is the pause after a renewal that came to nothing: a day, or less where the certificate has little left.
func (s *Station) renewPause() time.Duration {
	e := s.certs.store.Own(cert.ChargingStationCertificate, cert.InForce)
	if e == nil || !s.clock.known {
		return renewAgain
	}
	return min(max(e.Chain[0].NotAfter.Sub(s.wall())/4, renewSoonest), renewAgain)
}

// renewalDue is when the certificate in force is to be renewed, monotonic; zero: not by itself.
func (s *Station) renewalDue() time.Time {
	g := &s.certs.signing
	e := s.certs.store.Own(cert.ChargingStationCertificate, cert.InForce)
	if e == nil || g.phase != signNone || !s.clock.known || s.certs.store.Own(cert.ChargingStationCertificate, cert.Trial) != nil {
		return time.Time{}
	}
	leaf := e.Chain[0]
	at := leaf.NotAfter.Add(-min(renewBefore, leaf.NotAfter.Sub(leaf.NotBefore)/3))
	// From afar a century away is as good as never, and overflows nothing.
	return later(s.now.Add(min(at.Sub(s.wall()), 100*365*24*time.Hour)), g.renewal)
}

func (s *Station) signingDeadline() time.Time {
	g := &s.certs.signing
	d := time.Time{}
	if g.phase == signWaiting || g.phase == signAsking && s.maySign() {
		d = g.next
	}
	if s.online() && s.storage == "" {
		d = earliest(d, s.renewalDue())
	}
	return d
}

func (s *Station) keepSigning() {
	s.record(BucketCertificate, signingKey, appendJSON(nil, s.certs.signing.signingRecord))
	s.out.MustSync = true
}

func (s *Station) restoreSigning(value []byte) error {
	var r signingRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return fmt.Errorf("certificate signing request: %w", err)
	}
	if r.Number > maxSignNumber || len(r.CSR) > maxCSR || r.CSR != "" && (r.Key == "" || !cert.ValidCSR(r.CSR)) {
		return fmt.Errorf("certificate signing request %d: it cannot be one of ours", r.Number)
	}
	s.certs.signing.signingRecord = r
	return nil
}

// resumeSigning goes on where a power cut came between (after Restore).
func (s *Station) resumeSigning() {
	switch g := &s.certs.signing; {
	case g.Key == "" || g.Done:
	case g.CSR == "":
		s.makeCSR()
	default:
		g.phase = signAsking
	}
}
