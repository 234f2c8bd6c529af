package can

import (
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// memoryQueue is how many frames wait at an interface in memory; more are lost, as at a real one.
const memoryQueue = 256

// Memory is an interface in memory with virtual devices on its bus. Its Open is what a Bus starts with.
type Memory struct {
	mu      sync.Mutex // everything below
	devices []func(Frame) []Frame
	now     *memorySocket
	down    bool
	off     bool // the controller has left the bus: nothing is sent and nothing is heard
}

// Attach puts a device on the bus: it hears every frame that the agent sends, and answers with frames.
func (m *Memory) Attach(device func(Frame) []Frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.devices = append(m.devices, device)
}

// Inject is a frame that nobody has asked for.
func (m *Memory) Inject(f Frame) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.give(m.now, f.encode())
}

// BusOff makes the controller leave the bus, or come back.
func (m *Memory) BusOff(off bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.off = false // what the controller says of itself is heard
	if off {
		m.give(m.now, errorFrame(classBusOff, 0))
	} else {
		m.give(m.now, errorFrame(classRestart, 0))
	}
	m.off = off
}

// give puts a frame into the queue of an opening, unless the controller is off the bus. mu is held: no frame that was
// under way comes behind the word that the controller has left.
func (m *Memory) give(s *memorySocket, b raw) {
	if s == nil || m.off {
		return
	}
	select {
	case s.in <- b:
	default:
	}
}

// Down takes the interface down, or brings it up again.
func (m *Memory) Down(down bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = down
	if down && m.now != nil {
		m.now.end()
		m.now = nil
	}
}

// Open opens the interface.
func (m *Memory) Open() (Socket, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, unix.ENODEV
	}
	m.now = &memorySocket{m: m, in: make(chan raw, memoryQueue), gone: make(chan struct{})}
	return m.now, nil
}

// send lets the devices hear a frame.
func (m *Memory) send(s *memorySocket, f Frame) {
	m.mu.Lock()
	devices := m.devices
	if m.off {
		devices = nil
	}
	m.mu.Unlock()
	for _, d := range devices {
		for _, answer := range d(f) {
			m.mu.Lock()
			m.give(s, answer.encode())
			m.mu.Unlock()
		}
	}
}

// memorySocket is one opening of the interface.
type memorySocket struct {
	m    *Memory
	in   chan raw
	once sync.Once
	gone chan struct{}

	mu       sync.Mutex
	deadline time.Time // of reads
}

func (s *memorySocket) end() { s.once.Do(func() { close(s.gone) }) }

// Read waits for the next frame.
func (s *memorySocket) Read(b []byte) (int, error) {
	s.mu.Lock()
	deadline := s.deadline
	s.mu.Unlock()
	var late <-chan time.Time
	if !deadline.IsZero() {
		t := time.NewTimer(time.Until(deadline))
		defer t.Stop()
		late = t.C
	}
	select {
	case <-s.gone:
		return 0, unix.ENETDOWN
	case f := <-s.in:
		return copy(b, f[:]), nil
	case <-late:
		return 0, os.ErrDeadlineExceeded
	}
}

// Write sends one frame.
func (s *memorySocket) Write(b []byte) (int, error) {
	select {
	case <-s.gone:
		return 0, unix.ENETDOWN
	default:
	}
	f, _, err := decode(b)
	if err != nil {
		return 0, err
	}
	s.m.send(s, f)
	return len(b), nil
}

// SetReadDeadline is for the next Read.
func (s *memorySocket) SetReadDeadline(t time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.deadline = t
	return nil
}

// SetWriteDeadline is kept by a Write that never waits.
func (s *memorySocket) SetWriteDeadline(time.Time) error { return nil }

// Close ends a Read that waits.
func (s *memorySocket) Close() error {
	s.end()
	return nil
}
