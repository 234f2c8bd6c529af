package transfer

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// maxAddress is how long an address may be, in bytes: that of 2.1's GetLog has 2000 characters.
const maxAddress = 2048

// ports are the schemes and where their servers listen, if the address does not say it.
var ports = map[string]string{"http": "80", "https": "443", "ftp": "21", "ftps": "990", "sftp": "22"}

// Reasons why an address was not gone to.
var (
	errItself = errors.New("it is the station's own")
	errGroup  = errors.New("it is of no single host")
)

// parse returns the address of a file, or ErrAddress: what was wrong with it may be its password.
func parse(address string) (*url.URL, error) {
	u, err := url.Parse(address)
	if err != nil || len(address) > maxAddress || ports[u.Scheme] == "" || u.Opaque != "" || !hostFits(u) || !portFits(u) {
		return nil, ErrAddress
	}
	password, _ := u.User.Password()
	// A line end would begin a second command of FTP.
	if strings.ContainsFunc(u.Hostname()+u.Path+u.User.Username()+password, control) {
		return nil, ErrAddress
	}
	return u, nil
}

func control(r rune) bool { return r < ' ' || r == 0x7f }

// hostFits says whether a host stays what it is beside a port.
func hostFits(u *url.URL) bool {
	host, _, err := net.SplitHostPort(place(u))
	return err == nil && host != "" && host == u.Hostname()
}

func portFits(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// place is the host and port of an address.
func place(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = ports[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// RefuseItself refuses what is the station's own: loopback, link-local addresses (where clouds keep their secrets) and, by own,
// those of its interfaces. A CSMS that is elsewhere has no business there; what listens there trusts who is inside.
func RefuseItself(own func() []netip.Addr) func(host string, to netip.Addr) error {
	return func(_ string, to netip.Addr) error {
		if to.IsLoopback() || to.IsLinkLocalUnicast() {
			return errItself
		}
		for _, a := range own() {
			if a.WithZone("").Unmap() == to {
				return errItself
			}
		}
		return nil
	}
}

// nat64 is where a network of IPv6 alone shows the addresses of IPv4 (RFC 6052, 2.1).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// allowed holds an address against what no file is at, and against c.Refuse.
func (c *Client) allowed(host string, to netip.Addr) error {
	to = to.WithZone("").Unmap()
	if nat64.Contains(to) {
		b := to.As16()
		to = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !to.IsValid() || to.IsUnspecified() || to.IsMulticast() || to == netip.AddrFrom4([4]byte{255, 255, 255, 255}) {
		return errGroup
	}
	if c.Refuse == nil {
		return nil
	}
	return c.Refuse(host, to)
}
