package dialect16

import (
	"time"
	"unicode/utf8"

	"github.com/evsed/evsed/ocpp/msg16"
	"github.com/evsed/evsed/station"
)

// Lengths of BootNotification.req, in characters (1.6, 6.3).
const (
	maxName     = 20
	maxSerial   = 25
	maxFirmware = 50
	maxSIM      = 20
)

// bootNotification tells who the station is (1.6, 4.2). Why it started has no place in 1.6. Names that are too long are
// cut; of a serial number the end stays, where numbers of one series differ.
func bootNotification(b *station.BootNotification) msg16.Message {
	id := &b.Identity
	return &msg16.BootNotificationRequest{
		ChargePointVendor:       cut(id.Vendor, maxName),
		ChargePointModel:        cut(id.Model, maxName),
		ChargePointSerialNumber: optional(tail(id.SerialNumber, maxSerial)),
		FirmwareVersion:         optional(cut(id.FirmwareVersion, maxFirmware)),
		ICCID:                   optional(cut(id.ICCID, maxSIM)),
		IMSI:                    optional(cut(id.IMSI, maxSIM)),
	}
}

func (d *Dialect) bootReply(payload string) (station.Reply, error) {
	var m msg16.BootNotificationResponse
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	return station.BootReply{
		Status:   station.Registration(m.Status),
		Now:      m.CurrentTime,
		Interval: seconds(m.Interval),
	}, nil
}

func (d *Dialect) heartbeatReply(payload string) (station.Reply, error) {
	var m msg16.HeartbeatResponse
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	return station.HeartbeatReply{Now: m.CurrentTime}, nil
}

// seconds converts a number of seconds; an integer of OCPP has 32 bits, so that it cannot overflow.
func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// cut returns the first max characters of s.
func cut(s string, max int) string {
	n := 0
	for i := range s {
		if n == max {
			return s[:i]
		}
		n++
	}
	return s
}

// tail returns the last max characters of s.
func tail(s string, max int) string {
	for n := utf8.RuneCountInString(s); n > max; n-- {
		_, size := utf8.DecodeRuneInString(s)
		s = s[size:]
	}
	return s
}

// optional returns s as a present value unless it is empty.
func optional(s string) msg16.Opt[string] { return msg16.Opt[string]{V: s, Has: s != ""} }
