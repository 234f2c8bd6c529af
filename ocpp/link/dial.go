package link

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
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

// RefusedError says that the server answered the handshake with something else than a WebSocket, or a call over SOAP with
// the refusal of HTTP.
type RefusedError struct {
	Status int
	Call   bool // over SOAP; else a handshake
}

func (e *RefusedError) Error() string {
	what := "handshake"
	if e.Call {
		what = "call"
	}
	text := fmt.Sprintf("server answered the %s with %d %s", what, e.Status, http.StatusText(e.Status))
	switch e.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return text + ": it does not accept the station's credentials"
	case http.StatusNotFound:
		return text + ": it does not know this station, or the address is wrong"
	case http.StatusMovedPermanently, http.StatusFound, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return text + ": redirects are not followed"
	}
	return text
}

// SubprotocolError says that the server speaks none of the versions that were offered.
type SubprotocolError struct {
	Offered []string
	Picked  string // "" for none
}

func (e *SubprotocolError) Error() string {
	if e.Picked == "" {
		return fmt.Sprintf("server picked none of the versions %s", strings.Join(e.Offered, ", "))
	}
	return fmt.Sprintf("server picked %q, which is none of the versions %s", e.Picked, strings.Join(e.Offered, ", "))
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
func dialWebSocket(ctx context.Context, e endpoint, dial DialFunc, life *life) (*websocket.Conn, offer, error) {
	ctx, cancel := context.WithTimeout(ctx, HandshakeTimeout)
	defer cancel()
	transport := e.tls.transport(dial)
	transport.DisableCompression = true
	defer transport.CloseIdleConnections()
	ws, response, err := websocket.Dial(ctx, e.url, &websocket.DialOptions{
		HTTPClient: &http.Client{
			Transport: transport,
			// A redirect would send the station, and its password, to an address that nobody configured.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		HTTPHeader:     e.header,
		Subprotocols:   e.names(),
		OnPingReceived: func(context.Context, []byte) bool { return life.ping() },
		OnPongReceived: func(context.Context, []byte) { life.heard() },
	})
	if err != nil {
		return nil, offer{}, handshakeFault(e, response, err)
	}
	o, ok := e.agreed(ws.Subprotocol())
	if !ok {
		ws.CloseNow()
		return nil, offer{}, &SubprotocolError{e.names(), describe(ws.Subprotocol())}
	}
	return ws, o, nil
}

// handshakeFault names what went wrong with the handshake.
func handshakeFault(e endpoint, response *http.Response, err error) error {
	switch {
	case response == nil:
		return err
	case response.StatusCode != http.StatusSwitchingProtocols:
		return &RefusedError{Status: response.StatusCode}
	}
	picked := response.Header.Get("Sec-WebSocket-Protocol")
	if _, ok := e.agreed(picked); picked != "" && !ok {
		return &SubprotocolError{e.names(), describe(picked)}
	}
	return err
}
