package transfer

import (
	"crypto/tls"
	"net"
)

// watched is a connection of a transfer: it says when something moves, and ends with the transfer.
type watched struct {
	net.Conn
	w    *watch
	left int // bytes that may still be read; -1: no bound
	stop func() bool
}

// Read reads, and counts where there is a bound.
func (c *watched) Read(p []byte) (int, error) {
	if c.left == 0 {
		_ = c.Conn.Close() // no good-bye to one who does not listen
		return 0, errTalk
	}
	if c.left > 0 {
		p = p[:min(len(p), c.left)]
	}
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.w.moved()
	}
	if c.left > 0 {
		c.left -= n
	}
	return n, err
}

// Write writes little at a time, so that it is seen to move.
func (c *watched) Write(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = c.Conn.Write(p[n:min(n+chunk, len(p))])
		n += m
		c.w.moved()
	}
	return n, err
}

// Close closes it.
func (c *watched) Close() error {
	c.stop()
	return c.Conn.Close()
}

// RemoteAddr is where it goes to; a pipe goes to no address of TCP, which FTP's client wants.
func (c *watched) RemoteAddr() net.Addr { return tcpAddr(c.Conn) }

// tlsConn is TLS over a watched connection.
type tlsConn struct{ *tls.Conn }

// RemoteAddr is where it goes to.
func (c tlsConn) RemoteAddr() net.Addr { return tcpAddr(c.NetConn()) }

func tcpAddr(c net.Conn) net.Addr {
	if a, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		return a
	}
	return new(net.TCPAddr)
}
