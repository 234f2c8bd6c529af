package rauc

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// Where RAUC is on the bus, and what it speaks there.
const (
	service    = "de.pengutronix.rauc"
	installer  = "de.pengutronix.rauc.Installer"
	properties = "org.freedesktop.DBus.Properties"
	// SystemBus is where a system's services are, if nothing else is said.
	SystemBus = "unix:path=/run/dbus/system_bus_socket"
)

// maxCall is how long RAUC may take to answer: it reads a bundle of hundreds of megabytes for Info.
const maxCall = 2 * time.Minute

// Reasons of this package, beside those of slot and image.
var (
	ErrBus     = errors.New("D-Bus cannot be reached")
	ErrService = errors.New("RAUC does not answer on D-Bus")
	ErrRefused = errors.New("RAUC refuses")
	ErrTime    = errors.New("RAUC did not end in time")
)

// nothing is what this end of the bus offers to others.
type nothing struct{}

func (nothing) LookupObject(dbus.ObjectPath) (dbus.ServerObject, bool) { return nil, false }

// bus is one connection, for one operation: a bus that was restarted in between does no harm.
type bus struct {
	conn *dbus.Conn
	rauc dbus.BusObject
}

// dial connects to the bus at an address as D-Bus writes it, of which unix:path=... and unix:abstract=... are known: no other
// transport, one of which would start a program, is wanted.
func dial(ctx context.Context, address string) (*bus, error) {
	address, _, _ = strings.Cut(address, ",")
	kind, name, _ := strings.Cut(address, "=")
	switch kind {
	case "unix:path":
	case "unix:abstract":
		name = "@" + name
	default:
		return nil, fmt.Errorf("%w: address %q: want unix:path=FILE", ErrBus, address)
	}
	socket, err := (&net.Dialer{Timeout: maxCall}).DialContext(ctx, "unix", name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBus, err)
	}
	_ = socket.SetDeadline(time.Now().Add(maxCall))
	conn, err := dbus.NewConn(socket, dbus.WithContext(ctx), dbus.WithHandler(nothing{}))
	if err != nil {
		socket.Close()
		return nil, fmt.Errorf("%w: %w", ErrBus, err)
	}
	if err = conn.Auth(nil); err == nil {
		err = conn.Hello()
	}
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("%w: %w", ErrBus, err)
	}
	_ = socket.SetDeadline(time.Time{})
	return &bus{conn: conn, rauc: conn.Object(service, "/")}, nil
}

func (b *bus) close() { _ = b.conn.Close() }

// call calls a method of an interface, and stores what it returns.
func (b *bus) call(ctx context.Context, method string, args []any, results ...any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, maxCall, ErrTime)
	defer cancel()
	c := b.rauc.CallWithContext(ctx, method, 0, args...)
	if c.Err != nil {
		return b.reason(ctx, c.Err)
	}
	if err := c.Store(results...); err != nil {
		return fmt.Errorf("%w: its answer to %s: %w", ErrService, method, err)
	}
	return nil
}

// reason tells a bus without RAUC from a RAUC that refuses.
func (b *bus) reason(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	var said dbus.Error
	if !errors.As(err, &said) {
		return fmt.Errorf("%w: %w", ErrBus, err)
	}
	if name, ok := strings.CutPrefix(said.Name, "org.freedesktop.DBus.Error."); ok && name != "Failed" {
		return fmt.Errorf("%w: %s", ErrService, clip(name+": "+said.Error()))
	}
	return fmt.Errorf("%w: %s", ErrRefused, clip(said.Error()))
}

// property reads one of RAUC's.
func (b *bus) property(ctx context.Context, name string, to any) error {
	var v dbus.Variant
	if err := b.call(ctx, properties+".Get", []any{installer, name}, &v); err != nil {
		return err
	}
	if err := v.Store(to); err != nil {
		return fmt.Errorf("%w: property %s: %w", ErrService, name, err)
	}
	return nil
}

// slotState is what RAUC knows of a slot.
type slotState struct {
	Name   string
	Fields map[string]dbus.Variant
}

func (s *slotState) text(field string) string {
	text, _ := s.Fields[field].Value().(string)
	return clip(text)
}

// slots are those that RAUC may boot.
func (b *bus) slots(ctx context.Context) ([]slotState, error) {
	var all []slotState
	if err := b.call(ctx, installer+".GetSlotStatus", nil, &all); err != nil {
		return nil, err
	}
	var bootable []slotState
	for _, s := range all {
		if s.text("bootname") != "" {
			bootable = append(bootable, s)
		}
	}
	return bootable, nil
}

// mark tells RAUC what to think of a slot: "good", "bad" or "active".
func (b *bus) mark(ctx context.Context, state, name string) error {
	var slot, message string
	return b.call(ctx, installer+".Mark", []any{state, name}, &slot, &message)
}

// maxText bounds what RAUC says of itself, in bytes.
const maxText = 160

func clip(s string) string { return s[:min(len(s), maxText)] }
