package dialect2

import (
	"time"

	"github.com/evsed/evsed/ocpp/msg2"
	"github.com/evsed/evsed/ocpp/rpc"
	"github.com/evsed/evsed/station"
)

// bootNotification tells who the station is (B01). The modem is left out where it has neither number.
func bootNotification(b *station.BootNotification) msg2.Message {
	id := &b.Identity
	m := &msg2.BootNotificationRequest{
		Reason: msg2.BootReason(b.Reason),
		ChargingStation: msg2.ChargingStation{
			VendorName:      id.Vendor,
			Model:           id.Model,
			SerialNumber:    optional(id.SerialNumber),
			FirmwareVersion: optional(id.FirmwareVersion),
		},
	}
	if id.ICCID != "" || id.IMSI != "" {
		m.ChargingStation.Modem = rpc.Some(msg2.Modem{ICCID: optional(id.ICCID), IMSI: optional(id.IMSI)})
	}
	return m
}

func (d *Dialect) bootReply(payload string) (station.Reply, error) {
	var m msg2.BootNotificationResponse
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
	var m msg2.HeartbeatResponse
	if err := d.decode(&m, payload); err != nil {
		return nil, err
	}
	return station.HeartbeatReply{Now: m.CurrentTime}, nil
}

// seconds converts a number of seconds; an integer of OCPP has 32 bits, so that it cannot overflow.
func seconds(n int) time.Duration { return time.Duration(n) * time.Second }
