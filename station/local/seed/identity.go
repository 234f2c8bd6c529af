package seed

import (
	"strings"
	"unicode"

	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/strict"
)

// Lengths of OCPP 2.x in characters (ChargingStationType; SecurityCtrlr.Identity).
const (
	maxIdentity = 48
	maxVendor   = 50
	maxModel    = 20
	maxSerial   = 25
	maxFirmware = 50
)

func (d *decoder) identity(top *strict.Members) {
	d.s.Name = "cp001"
	d.s.Identity = station.Identity{Vendor: "evsed", Model: "simulator"}
	v := top.Value("station")
	if v == nil {
		return
	}
	o := d.Object(v, "id", "vendor", "model", "serialNumber", "chargeBoxSerialNumber", "firmwareVersion")
	for _, name := range []string{"vendor", "model", "serialNumber"} {
		if o.Value(name) != nil {
			d.s.Labels = append(d.s.Labels, name)
		}
	}
	id := &d.s.Identity
	d.s.Name = strict.Or(d.label(o, "id", maxIdentity), d.s.Name)
	if strings.ContainsAny(d.s.Name, ":/") { // a user name of HTTP basic authentication ends at the colon
		o.Fail("id", "want no ':' and no '/'")
	}
	id.Vendor = strict.Or(d.label(o, "vendor", maxVendor), id.Vendor)
	id.Model = strict.Or(d.label(o, "model", maxModel), id.Model)
	id.SerialNumber = strict.Or(d.label(o, "serialNumber", maxSerial), "")
	id.FirmwareVersion = strict.Or(d.label(o, "firmwareVersion", maxFirmware), "")
	if d.label(o, "chargeBoxSerialNumber", maxSerial) != nil {
		d.warn(o.Value("chargeBoxSerialNumber"), "left out: OCPP 1.6 has given it up for serialNumber")
	}
}

// label reads a name that goes onto the wire: not empty, nothing unprintable.
func (d *decoder) label(o *strict.Members, name string, most int) *string {
	s := strict.Text(o, name, most)
	switch {
	case s == nil:
	case *s == "":
		o.Fail(name, "empty: leave it out for the default")
	case strings.ContainsFunc(*s, func(r rune) bool { return !unicode.IsPrint(r) }):
		o.Fail(name, "want printable characters")
	default:
		return s
	}
	return nil
}
