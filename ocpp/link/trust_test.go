package link

import (
	"crypto/tls"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/evsed/evsed/station"
)

// secured configures a link for a CSMS with TLS.
func secured(change func(*Options)) func(*Options) {
	return func(o *Options) {
		o.Config.Profiles = []Profile{{Slot: 1, NetworkProfile: station.NetworkProfile{URL: "wss://csms.test/ocpp", SecurityProfile: 3}}}
		o.Config.Trust, o.Config.Clock = ownTrust(), clockToday()
		if change != nil {
			change(o)
		}
	}
}

// showing is a CSMS that shows one certificate.
func showing(cert tls.Certificate) func() *tls.Config {
	return func() *tls.Config {
		return &tls.Config{Certificates: []tls.Certificate{cert}, ClientAuth: tls.RequireAnyClientCert, Time: func() time.Time { return today }}
	}
}

// distrusted counts what the core has heard.
func (w *world) distrusted() (told []string) {
	for {
		select {
		case ev := <-w.events:
			if d, ok := ev.(station.CSMSDistrusted); ok {
				cause, _, _ := strings.Cut(d.Info, ":")
				told = append(told, d.Kind+": "+cause)
			}
		default:
			return told
		}
	}
}

// Each cause is told once an hour, however often the station tries.
//
// covers: A00.FR.310 A00.FR.413
func TestDistrustIsToldOnceAnHour(t *testing.T) {
	cert := pair(keyP256(), newAuthority("Other", keyP384()).issue("csms.test", keyP256(), nil))
	inTLS(t, showing(cert), secured(nil), faithfulServer, func(w *world) {
		time.Sleep(DistrustEvery - time.Minute)
		if told := w.distrusted(); len(told) != 1 || told[0] != "InvalidCsmsCertificate: UnknownIssuer" {
			t.Errorf("in the first hour: %q", told)
		}
		time.Sleep(5 * DistrustEvery)
		if told := w.distrusted(); len(told) != 5 {
			t.Errorf("in five hours more: %q", told)
		}
		if n := len(w.dialled()); n < 50 {
			t.Errorf("%d attempts", n)
		}
	})
}

// csmsOf is one that lasts from a day to another.
func csmsOf(from, until time.Time) tls.Certificate {
	return pair(keyP256(), root().issue("csms.test", keyP256(), lasting(from, until)))
}

// unset is the clock of a station that boots in 1970, built some months before today.
func unset(o *Options) {
	o.Config.Clock = Clock{Offset: time.Until(time.Unix(0, 0)), Floor: today.Add(-100 * aDay)}
}

// A CSMS whose certificate is newer than the station's build is trusted until the time is known, and then judged by it. The
// time that counts is one within the life of that certificate.
func TestBeforeTheClockIsSet(t *testing.T) {
	config := func(o Options, c Clock) Config {
		o.Config.Clock = c
		return o.Config
	}
	told := func(at time.Time) Clock { return Clock{Offset: time.Until(at), Set: true} }
	var o Options
	change := secured(func(opt *Options) { unset(opt); o = *opt })
	inTLS(t, showing(csmsOf(today.Add(-aDay), today.Add(30*aDay))), change, faithfulServer, func(w *world) {
		if up := w.want(time.Minute, "up").(station.LinkUp); !up.Valid.IsZero() {
			t.Errorf("valid at %v, which nobody knows", up.Valid)
		}
		w.l.Configure(config(o, told(today)))
		time.Sleep(time.Second)
		if told := w.distrusted(); len(told) > 0 || !w.l.Status().Open {
			t.Errorf("after the time was told: %q", told)
		}
	})
	inTLS(t, showing(csmsOf(today.Add(-50*aDay), today.Add(-20*aDay))), change, faithfulServer, func(w *world) {
		w.want(time.Minute, "up")
		w.l.Configure(config(o, told(today)))
		w.want(time.Minute, "station.CSMSDistrusted")
		w.want(time.Minute, "down")
	})
	inTLS(t, showing(csmsOf(today.Add(-300*aDay), today.Add(-200*aDay))), change, faithfulServer, func(w *world) { // before the floor
		w.want(time.Minute, "station.CSMSDistrusted")
	})
}

// A CSMS that tells a wrong time does not shut itself out: for certificates it is not believed, neither now nor later.
func TestAWrongTimeShutsNobodyOut(t *testing.T) {
	var o Options
	change := secured(func(opt *Options) { o = *opt })
	inTLS(t, showing(csmsOf(today.Add(-aDay), today.Add(300*aDay))), change, faithfulServer, func(w *world) {
		w.want(time.Minute, "up")
		wrong := o.Config
		wrong.Clock = Clock{Offset: time.Until(today.AddDate(70, 0, 0)), Set: true}
		w.l.Configure(wrong)
		time.Sleep(time.Second)
		w.l.Reconnect()
		w.want(time.Minute, "down")
		w.l.Configure(wrong)
		if up := w.want(time.Minute, "up").(station.LinkUp); up.Valid.Year() != today.Year() {
			t.Errorf("valid at %v", up.Valid)
		}
		right := o.Config
		right.Clock = Clock{Offset: time.Until(today.Add(aDay)), Set: true}
		w.l.Configure(right)
		w.l.Reconnect()
		w.want(time.Minute, "down")
		if up := w.want(time.Minute, "up").(station.LinkUp); up.Valid.Before(today.Add(aDay)) {
			t.Errorf("valid at %v, after the right time was told", up.Valid)
		}
	})
}

// The root is that of the file, not one of many: a certificate of another authority for the right name, as an interceptor
// would show it, is refused, and he learns nothing but a name.
func TestInterceptionIsRefused(t *testing.T) {
	cert := pair(keyP256(), newAuthority("A public authority", keyP384()).issue("csms.test", keyP256(), alsoFor("csms.test")))
	change := secured(func(o *Options) {
		o.Config.Profiles[0].SecurityProfile, o.Config.Profiles[0].Password = 2, "very-secret-word"
	})
	intercepted := func() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{cert}} }
	serve := func(w *world, _ int, _ http.ResponseWriter, r *http.Request) {
		t.Errorf("request %s, %q", r.URL, r.Header.Get("Authorization"))
	}
	inTLS(t, intercepted, change, serve, func(w *world) {
		w.want(time.Minute, "station.CSMSDistrusted")
		time.Sleep(10 * time.Minute)
	})
}

// A renegotiation, by which a server could become another one, ends the connection: TLS 1.2 alone knows it, and there is
// no renegotiation in it either.
func TestNeitherRenegotiationNorTickets(t *testing.T) {
	c := (&security{suites: cipherSuites}).base()
	if c.Renegotiation != tls.RenegotiateNever || !c.SessionTicketsDisabled || c.MinVersion != tls.VersionTLS12 || c.ClientSessionCache != nil {
		t.Errorf("%+v", c)
	}
	for _, s := range cipherSuites {
		for _, insecure := range tls.InsecureCipherSuites() {
			if s == insecure.ID {
				t.Errorf("%s is offered", insecure.Name)
			}
		}
	}
}

// What servers say that do not speak as the station does, also those that no library can be made to play.
func TestFirstAnswers(t *testing.T) {
	hello := func(version, suite uint16) string {
		b := append([]byte{22, 3, 1, 0, 42, 2, 0, 0, 38, byte(version >> 8), byte(version)}, make([]byte, 33)...)
		return string(append(b, byte(suite>>8), byte(suite), 0))
	}
	for name, c := range map[string]struct{ answer, want string }{
		"TLS 1.0":           {hello(0x0301, 0xc02b), "InvalidTLSVersion"},
		"SSL 3":             {hello(0x0300, 0xc02b), "InvalidTLSVersion"},
		"suite not offered": {hello(0x0303, 0x000a), "InvalidTLSCipherSuite"},
		"offered":           {hello(0x0303, 0xc02b), ""},
		"TLS 1.3":           {hello(0x0303, 0x1301), ""},
		"cut":               {hello(0x0303, 0x000a)[:44], ""},
		"protocol_version":  {"\x15\x03\x03\x00\x02\x02\x46", "InvalidTLSVersion"},
		"handshake_failure": {"\x15\x03\x03\x00\x02\x02\x28", "InvalidTLSCipherSuite"},
		"insufficient":      {"\x15\x03\x03\x00\x02\x02\x47", "InvalidTLSCipherSuite"},
		"unrecognized_name": {"\x15\x03\x03\x00\x02\x02\x70", ""},
		"HTTP":              {"HTTP/1.1 400 Bad Request\r\n\r\n", ""},
		"nothing":           {"", ""},
	} {
		f := &firstAnswer{}
		f.n = copy(f.head[:], c.answer)
		switch d := f.fault(cipherSuites); {
		case d == nil && c.want != "", d != nil && d.Kind != c.want:
			t.Errorf("%s: %v, want %q", name, d, c.want)
		}
	}
}

func FuzzFirstAnswer(f *testing.F) {
	f.Add([]byte("\x15\x03\x03\x00\x02\x02\x46"))
	f.Add(append([]byte{22, 3, 1, 0, 42, 2, 0, 0, 38, 3, 3}, make([]byte, 60)...))
	f.Fuzz(func(_ *testing.T, b []byte) {
		a := &firstAnswer{}
		a.n = copy(a.head[:], b)
		a.fault(cipherSuites)
	})
}
