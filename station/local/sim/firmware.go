package sim

import (
	"time"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/term"
)

// FirmwarePlan is how the next update of the firmware goes.
type FirmwarePlan struct {
	Download, Signature, Install bool
	Unfit                        bool // why it is not installed: the image is to blame
	Step                         time.Duration
	Reboot                       bool // the new firmware runs from the next start on; else at once
}

// firmware says how the next update goes, which then installs nothing.
func (c *call) firmware(v *strict.Value) (any, error) {
	o := c.Object(v, "download", "signature", "install", "stepMs", "reboot")
	word := func(name string, more ...string) string {
		return strict.Or(strict.Word(o, name, append([]string{"ok", "fail"}, more...)...), "ok")
	}
	install := word("install", "unfit")
	p := FirmwarePlan{Download: word("download") == "ok", Signature: word("signature") == "ok", Install: install == "ok", Unfit: install == "unfit",
		Step:   time.Duration(strict.Or(strict.Int(o, "stepMs", 0, maxDelayMs), 0)) * time.Millisecond,
		Reboot: strict.Or(strict.Flag(o, "reboot"), true)}
	if err := c.bad(); err != nil {
		return nil, err
	}
	if c.o.PlanFirmware == nil {
		return nil, notSimulated("firmware updates")
	}
	if err := c.o.PlanFirmware(p); err != nil {
		return nil, err
	}
	return done{}, nil
}

// firmwareTold logs a status of an update.
func (l *Log) firmwareTold(b station.FirmwareStatus) {
	d := data{"status": b.Status}
	if b.HasRequestID {
		d["requestId"] = b.RequestID
	}
	if b.Reason != "" {
		d["code"] = b.Reason
	}
	l.add("firmware", term.Ref{}, d)
}
