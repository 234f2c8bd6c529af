package link

import (
	"net"
	"strings"
	"sync"
)

// boundedListener accepts at most as many connections as fit into free, and closes what comes too many: a flood must not
// keep the CSMS from being heard when it ends.
type boundedListener struct {
	net.Listener
	free chan struct{}
}

// Accept returns the next connection for which there is room.
func (l *boundedListener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.free <- struct{}{}:
			return &headConn{Conn: c, left: func() { <-l.free }}, nil
		default:
			c.Close()
		}
	}
}

// headConn keeps the head of the first request on a connection, as it came.
type headConn struct {
	net.Conn
	once sync.Once
	left func()

	mu   sync.Mutex // guards what follows: the server reads on while the request is handled
	head strings.Builder
	done bool
}

func (c *headConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.done && n > 0 {
		c.head.Write(p[:n])
		c.done = c.head.Len() > maxHandshakeHeader+4096 || strings.Contains(c.head.String(), "\r\n\r\n")
	}
	return n, err
}

// text returns what was read until the head was whole.
func (c *headConn) text() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.head.String()
}

// Close gives the place back.
func (c *headConn) Close() error {
	c.once.Do(c.left)
	return c.Conn.Close()
}
