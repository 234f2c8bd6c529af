package checkup

import (
	"net"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal/can"
	"github.com/evsed/evsed/hal/modbus"
	"github.com/evsed/evsed/hal/serial"
)

// Linux is the kernel of this machine.
type Linux struct{}

// Modbus opens a serial line or a gateway.
func (Linux) Modbus(b boards.Bus) (Modbus, error) {
	if b.Kind == boards.BusTCP {
		return modbus.DialTCP(b.Port, modbus.Options{}), nil
	}
	c := serial.Config{Port: b.Port, Baud: b.Baud, Frame: b.Frame}
	if b.RS485 {
		c.RS485 = &serial.RS485{}
	}
	p, err := serial.Open(c)
	if err != nil {
		return nil, err
	}
	return modbus.NewRTU(b.Name, p, modbus.Options{}), nil
}

// CAN opens an interface.
func (Linux) CAN(b boards.Bus) (CAN, error) { return can.Open(b.Port) }

// Interface looks for a network interface.
func (Linux) Interface(name string) (bool, error) {
	i, err := net.InterfaceByName(name)
	if err != nil {
		return false, err
	}
	return i.Flags&net.FlagUp != 0, nil
}
