package checkup

import (
	"net"
	"net/netip"

	"github.com/evsed/evsed/boards"
)

// remote leaves a device out that is at an address of another machine, unless the network may be asked: what stands in a file may
// be the address of something else here. host is that of a device without a bus.
func (c *checkup) remote(bus, host, path, model string) bool {
	if b := c.b.Bus(bus); host == "" && b != nil && b.Kind == boards.BusTCP {
		host = b.Port
	}
	if c.o.Network || host == "" || isHere(host) {
		return false
	}
	c.all = append(c.all, Result{Path: path, Name: model + " at " + host, Left: true, Text: "not asked, it is on the network: --network asks it"})
	return true
}

// isHere says whether a host, or host:port, is this machine for certain. No name is looked up.
func isHere(address string) bool {
	host := address
	if h, _, err := net.SplitHostPort(address); err == nil {
		host = h
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.Unmap().IsLoopback()
}
