package transfer

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// maxHosts bounds a list of hosts.
const maxHosts = 64

// errList is why a host is refused.
var errList = errors.New("it is not in the list of hosts")

// Hosts are those that a fitter lets transfers go to.
type Hosts struct {
	names    []string // in lower case; with a leading dot all names below it
	networks []netip.Prefix
}

// ParseHosts reads a list: names, *.NAME for all names below one, addresses and networks as 192.0.2.0/24, with commas between.
// An empty list lets go anywhere.
func ParseHosts(list string) (h Hosts, err error) {
	if list == "" {
		return h, nil
	}
	rows := strings.Split(list, ",")
	if len(rows) > maxHosts {
		return h, fmt.Errorf("%d hosts: want at most %d", len(rows), maxHosts)
	}
	for _, row := range rows {
		row = strings.ToLower(strings.TrimSpace(row))
		name := strings.TrimPrefix(row, "*")
		if to, err := netip.ParseAddr(row); err == nil {
			to = to.Unmap()
			h.networks = append(h.networks, netip.PrefixFrom(to, to.BitLen()))
		} else if n, err := netip.ParsePrefix(row); err == nil && n == n.Masked() {
			h.networks = append(h.networks, n)
		} else if hostName(strings.TrimPrefix(name, ".")) && strings.HasPrefix(name, ".") == (name != row) {
			h.names = append(h.names, name)
		} else {
			return Hosts{}, fmt.Errorf("host %.80q: want a name, *.NAME, an address or a network as 192.0.2.0/24", row)
		}
	}
	return h, nil
}

// hostName tells whether s is a name of hosts, and no number that some resolvers take for an address.
func hostName(s string) bool {
	letter := false
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range []byte(label) {
			switch {
			case c >= 'a' && c <= 'z':
				letter = true
			case c >= '0' && c <= '9', c == '-', c == '_':
			default:
				return false
			}
		}
	}
	return letter && len(s) <= 253
}

// Any says whether there is no list.
func (h Hosts) Any() bool { return len(h.names)+len(h.networks) == 0 }

// Refuse says why no transfer goes to an address that a host has. It is a Client's.
func (h Hosts) Refuse(host string, to netip.Addr) error {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	for _, n := range h.names {
		if n == host || n[0] == '.' && strings.HasSuffix(host, n) {
			return nil
		}
	}
	for _, n := range h.networks {
		if n.Contains(to) {
			return nil
		}
	}
	if h.Any() {
		return nil
	}
	return errList
}
