package link

import (
	"errors"
	"io"

	"github.com/evsed/evsed/ocpp/soap"
)

// shortEnvelope is what nearly every message fits into, in bytes. Of requests that are longer one is read and answered at a
// time: half a megabyte, and what is made of it, times MaxSOAPConnections would be more than a small board has to spare.
const shortEnvelope = 16 << 10

// errCrowded refuses a long request while there is another one.
var errCrowded = errors.New("another long envelope is being read; try later")

// readEnvelope reads to the end of r, or one byte more than an envelope may have. It asks before it makes room for a long
// one.
func readEnvelope(r io.Reader, long func() error) ([]byte, error) {
	buf, err := fillEnvelope(r, make([]byte, 0, shortEnvelope))
	if err != nil || len(buf) < shortEnvelope {
		return buf, err
	}
	if err := long(); err != nil {
		return nil, err
	}
	return fillEnvelope(r, append(make([]byte, 0, soap.MaxEnvelope+1), buf...))
}

// fillEnvelope reads until buf is full or r ends.
func fillEnvelope(r io.Reader, buf []byte) ([]byte, error) {
	for len(buf) < cap(buf) {
		n, err := r.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if errors.Is(err, io.EOF) {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
	return buf, nil
}

// longTurn is the turn of one long request.
type longTurn struct {
	turns chan struct{} // holds one for each that is under way
	taken bool
}

func (l *longTurn) take() error {
	select {
	case l.turns <- struct{}{}:
		l.taken = true
		return nil
	default:
		return errCrowded
	}
}

func (l *longTurn) free() {
	if l.taken {
		<-l.turns
	}
}
