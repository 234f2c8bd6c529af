package link

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/evsed/evsed/ocpp"
)

const (
	// HandshakeTimeout bounds name resolution, TCP and the WebSocket handshake together.
	HandshakeTimeout = 30 * time.Second

	maxHandshakeHeader = 16 << 10 // bytes of the server's response
	keepAliveIdle      = 30 * time.Second
	keepAliveInterval  = 10 * time.Second
	keepAliveCount     = 3
	userTimeout        = 60 * time.Second // sent bytes that nobody acknowledged end the connection
)

// DialFunc opens the transport of a connection.
type DialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// RefusedError says that the server answered the handshake with something else than a WebSocket.
type RefusedError struct{ Status int }

func (e *RefusedError) Error() string {
	return fmt.Sprintf("server answered the handshake with %d %s", e.Status, http.StatusText(e.Status))
}

// dialTCP resolves the name anew and tries all its addresses. What the kernel can notice of a peer that is gone, it is
// asked to.
func dialTCP(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{
		Control: setUserTimeout,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		},
	}
	return d.DialContext(ctx, network, address)
}

// dialWebSocket connects to e. The connection is not yet read; life counts what arrives on it.
func dialWebSocket(ctx context.Context, e endpoint, dial DialFunc, life *life) (*websocket.Conn, ocpp.Dialect, error) {
	ctx, cancel := context.WithTimeout(ctx, HandshakeTimeout)
	defer cancel()
	transport := &http.Transport{DialContext: dial, DisableCompression: true, MaxResponseHeaderBytes: maxHandshakeHeader}
	defer transport.CloseIdleConnections()
	ws, response, err := websocket.Dial(ctx, e.url, &websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport: transport,
			// A redirect would send the station, and its password, to an address that nobody configured.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPHeader:     e.header,
		Subprotocols:   e.offer,
		OnPingReceived: func(context.Context, []byte) bool { return life.ping() },
		OnPongReceived: func(context.Context, []byte) { life.heard() },
	})
	if err != nil {
		if response != nil && response.StatusCode != http.StatusSwitchingProtocols {
			return nil, nil, &RefusedError{response.StatusCode}
		}
		return nil, nil, err
	}
	d, ok := e.agreed(ws.Subprotocol())
	if !ok {
		ws.CloseNow()
		return nil, nil, fmt.Errorf("server speaks none of the offered subprotocols %q", e.offer)
	}
	return ws, d, nil
}
