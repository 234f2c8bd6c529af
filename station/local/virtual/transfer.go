package virtual

import (
	"crypto/x509"
	"net"
	"net/netip"
	"net/url"
	"time"

	"github.com/evsed/evsed/ocpp/link"
	"github.com/evsed/evsed/ocpp/transfer"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/cert"
)

// Transfers is what a fitter says of logs and firmware.
type Transfers struct {
	Hosts    transfer.Hosts // where they go to and come from; empty: anywhere but to the station itself
	OwnRoots bool           // servers are held against the roots of the station alone, and not against those of the system too
	HostKeys []string       // of SFTP servers that are trusted; see transfer.Client
}

// transfers returns what transfers a file now. The loop calls it, for the roots are the core's.
func (l *life) transfers() *transfer.Client {
	o := l.s.o.Files
	c := &transfer.Client{Dial: l.s.dialUpload, Refuse: o.Hosts.Refuse, HostKeys: o.HostKeys}
	trusted := trustClock(l.core, l.s.o.Built)
	c.Now = func() time.Time { return clockTime(trusted, l.s.clock.Now()) }
	if o.Hosts.Any() && !besideCSMS(l.core) {
		c.Refuse = transfer.RefuseItself(ownAddresses)
	}
	var roots [][]byte
	for _, u := range []cert.Use{cert.CSMSRootCertificate, cert.ManufacturerRootCertificate} { // N01.FR.15
		roots = append(roots, l.core.Roots(u)...)
	}
	c.Roots = func() *x509.CertPool { return authorities(roots, o.OwnRoots) }
	return c
}

// clockTime is the time by which a server's certificate is judged: that of the station's clock, and while nobody has set it no
// time that has been for certain.
func clockTime(c link.Clock, now time.Time) time.Time {
	at := now.Add(c.Offset)
	if !c.Set && at.Before(c.Floor) {
		return c.Floor
	}
	return at
}

// authorities are the roots of the station, and those of the system unless own says that they alone count (N01.FR.16).
func authorities(roots [][]byte, own bool) *x509.CertPool {
	pool := x509.NewCertPool()
	if !own {
		if system, err := x509.SystemCertPool(); err == nil { // a system without any vouches for nobody
			pool = system
		}
	}
	for _, der := range roots {
		if c, err := x509.ParseCertificate(der); err == nil {
			pool.AddCert(c)
		}
	}
	return pool
}

// besideCSMS tells whether a CSMS is on the station itself or on its own link: a local controller, or a bench. What it asks for
// it could have itself, so that there is nothing to keep from it.
func besideCSMS(s *station.Station) bool {
	for _, slot := range s.NetworkPriority() {
		p, _ := s.NetworkProfile(slot)
		u, err := url.Parse(p.URL)
		if err != nil {
			continue
		}
		to, err := netip.ParseAddr(u.Hostname())
		if u.Hostname() == "localhost" || err == nil && transfer.RefuseItself(ownAddresses)(u.Hostname(), to.WithZone("").Unmap()) != nil {
			return true
		}
	}
	return false
}

// ownAddresses are those of the station's interfaces.
func ownAddresses() (own []netip.Addr) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok {
			if to, ok := netip.AddrFromSlice(n.IP); ok {
				own = append(own, to)
			}
		}
	}
	return own
}
