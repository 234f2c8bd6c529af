package modbus

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"sync"
	"time"
)

// Unit is one virtual unit behind a Server. Its methods are called one at a time per request and answer with an
// Exception where the unit refuses; any other error is told as DeviceFailure.
type Unit interface {
	// ReadTable returns count registers or bits, beginning with address.
	ReadTable(kind Kind, address, count uint16) ([]uint16, error)
	// WriteTable writes registers or coils, beginning with address.
	WriteTable(kind Kind, address uint16, values []uint16) error
}

// maxConnections bounds the clients of one server over TCP; more are closed at once.
const maxConnections = 16

// idleConnection is how long a client may be silent.
const idleConnection = 2 * time.Minute

// Server answers for virtual units.
type Server struct {
	mu    sync.Mutex // one request at a time: guards units and what lies behind them
	units map[uint8]Unit
}

// NewServer returns a server for units by their address.
func NewServer(units map[uint8]Unit) *Server {
	s := &Server{units: map[uint8]Unit{}}
	for id, u := range units {
		s.units[id] = u
	}
	return s
}

// Answer carries out a request and returns the PDU of its answer; nil where nobody answers: a unit that is not there,
// or a broadcast.
func (s *Server) Answer(unit uint8, pdu []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if unit == 0 {
		for _, u := range s.units {
			serve(u, pdu)
		}
		return nil
	}
	u := s.units[unit]
	if u == nil || len(pdu) == 0 {
		return nil
	}
	answer, err := serve(u, pdu)
	if err == nil {
		return answer
	}
	var e Exception
	if !errors.As(err, &e) {
		e = DeviceFailure
	}
	return []byte{pdu[0] | refused, byte(e)}
}

// serve carries out a request at a unit.
func serve(u Unit, pdu []byte) ([]byte, error) {
	if len(pdu) == 0 {
		return nil, IllegalFunction
	}
	kinds := map[byte]Kind{readCoils: Coil, readDiscrete: Discrete, readHolding: Holding, readInput: Input,
		writeCoil: Coil, writeRegister: Holding, writeCoils: Coil, writeRegisters: Holding, readWrite: Holding}
	kind, known := kinds[pdu[0]]
	if !known {
		return nil, IllegalFunction
	}
	if len(pdu) < 5 {
		return nil, IllegalValue
	}
	address, value := binary.BigEndian.Uint16(pdu[1:]), binary.BigEndian.Uint16(pdu[3:])
	switch pdu[0] {
	case writeCoil, writeRegister:
		return writeOne(u, kind, address, value, pdu)
	case writeCoils, writeRegisters:
		return writeSeveral(u, kind, address, int(value), pdu)
	case readWrite:
		if err := writeFirst(u, pdu); err != nil {
			return nil, err
		}
	}
	return readTable(u, pdu[0], kind, address, value)
}

func readTable(u Unit, function byte, kind Kind, address, count uint16) ([]byte, error) {
	limit := maxReadRegisters
	if isBits(function) {
		limit = maxReadBits
	}
	if count == 0 || int(count) > limit {
		return nil, IllegalValue
	}
	if int(address)+int(count) > 1<<16 {
		return nil, IllegalAddress
	}
	values, err := u.ReadTable(kind, address, count)
	if err != nil {
		return nil, err
	}
	if len(values) != int(count) {
		return nil, DeviceFailure
	}
	if isBits(function) {
		return appendBits([]byte{function}, values), nil
	}
	return appendRegisters([]byte{function}, values), nil
}

func writeOne(u Unit, kind Kind, address, value uint16, pdu []byte) ([]byte, error) {
	if kind == Coil {
		if value != 0 && value != coilOn {
			return nil, IllegalValue
		}
		value = min(value, 1)
	}
	if len(pdu) != 5 {
		return nil, IllegalValue
	}
	if err := u.WriteTable(kind, address, []uint16{value}); err != nil {
		return nil, err
	}
	return append([]byte(nil), pdu...), nil
}

func writeSeveral(u Unit, kind Kind, address uint16, count int, pdu []byte) ([]byte, error) {
	bytes, limit := 2*count, maxWriteRegisters
	if kind == Coil {
		bytes, limit = (count+7)/8, maxWriteBits
	}
	if count == 0 || count > limit || len(pdu) != 6+bytes || int(pdu[5]) != bytes {
		return nil, IllegalValue
	}
	values := parseRegisters(pdu[6:])
	if kind == Coil {
		values = parseBits(pdu[6:], count)
	}
	if err := u.WriteTable(kind, address, values); err != nil {
		return nil, err
	}
	return append([]byte(nil), pdu[:5]...), nil
}

// writeFirst is the writing half of function 23.
func writeFirst(u Unit, pdu []byte) error {
	if len(pdu) < 10 {
		return IllegalValue
	}
	address, count := binary.BigEndian.Uint16(pdu[5:]), int(binary.BigEndian.Uint16(pdu[7:]))
	if count == 0 || count > maxReadWrite || int(pdu[9]) != 2*count || len(pdu) != 10+2*count {
		return IllegalValue
	}
	return u.WriteTable(Holding, address, parseRegisters(pdu[10:]))
}

// ServeRTU answers on a serial line until ctx ends or the line fails, and closes it.
func (s *Server) ServeRTU(ctx context.Context, p Port) error {
	stop := context.AfterFunc(ctx, func() { p.Close() })
	defer stop()
	defer p.Close()
	in := requests{}
	for {
		wait := time.Time{}
		if in.n > 0 {
			wait = time.Now().Add(brokenOff) // a request that stops half-way is forgotten
		}
		if err := p.SetDeadline(wait); err != nil {
			return err
		}
		got, err := p.Read(in.buf[in.n:])
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
		unit, pdu := in.next(got, err != nil)
		if pdu == nil {
			continue
		}
		answer := s.Answer(unit, pdu)
		if answer == nil {
			continue
		}
		if err := p.SetDeadline(time.Now().Add(time.Second)); err != nil {
			return err
		}
		if _, err := p.Write(AppendRTU(nil, unit, answer)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return err
		}
	}
}

// requests collects the requests of a serial line.
type requests struct {
	buf [2 * maxRTU]byte
	n   int
}

// next takes the bytes that have come and returns a whole request; over means that nothing follows for now.
func (in *requests) next(got int, over bool) (uint8, []byte) {
	in.n += got
	length := requestLength(in.buf[:in.n])
	switch {
	case length > 0 && in.n >= length:
		in.n = length
	case over || in.n == len(in.buf):
	default:
		return 0, nil
	}
	unit, pdu, err := ParseRTU(in.buf[:in.n])
	in.n = 0
	if err != nil {
		return 0, nil
	}
	return unit, pdu
}

// ServeTCP answers the clients of a listener until ctx ends, and closes it.
func (s *Server) ServeTCP(ctx context.Context, l net.Listener) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	var wg sync.WaitGroup
	defer wg.Wait()
	free := make(chan struct{}, maxConnections)
	for {
		conn, err := l.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		select {
		case free <- struct{}{}:
		default:
			conn.Close()
			continue
		}
		wg.Go(func() {
			s.serveConn(ctx, conn)
			<-free
		})
	}
}

func (s *Server) serveConn(ctx context.Context, conn net.Conn) {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	defer conn.Close()
	var buf [2 * (headerTCP + maxPDU)]byte
	n := 0
	for {
		transaction, unit, pdu, rest, err := ParseTCP(buf[:n])
		if errors.Is(err, ErrShort) {
			conn.SetDeadline(time.Now().Add(idleConnection))
			got, err := conn.Read(buf[n:])
			if err != nil {
				return
			}
			n += got
			continue
		}
		if err != nil {
			return
		}
		answer := s.Answer(unit, pdu)
		if answer == nil {
			answer = []byte{pdu[0] | refused, byte(GatewayNoAnswer)} // TCP/IP Guide V1.0b, section 4.4.2.1
		}
		if _, err := conn.Write(AppendTCP(nil, transaction, unit, answer)); err != nil {
			return
		}
		n = copy(buf[:], rest)
	}
}
