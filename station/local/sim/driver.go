package sim

import (
	"fmt"
	"math"

	"github.com/evsed/evsed/hal/halsim"
	"github.com/evsed/evsed/station"
	"github.com/evsed/evsed/station/local/strict"
	"github.com/evsed/evsed/station/term"
)

// Bounds of a swipe.
const (
	maxReaders     = 64 // EVSEs of one reader
	maxAdditional  = 16
	maxInfoID      = 255
	maxInfoType    = 50
	defaultIDToken = string(term.TokenISO14443)
)

// tokenTypes are the words of OCPP 2.1 (appendix, IdTokenEnumStringType).
var tokenTypes = []string{
	"ISO14443", "ISO15693", "KeyCode", "Central", "Local", "MacAddress", "DirectPayment", "eMAID", "EVCCID", "VIN",
	"NoAuthorization",
}

// token reads the members idToken and type.
func token(o *strict.Members) term.IdToken {
	o.Need("idToken", "a string")
	t := term.IdToken{
		Value: strict.Or(strict.Text(o, "idToken", term.MaxIdToken), ""),
		Type:  term.IdTokenType(strict.Or(strict.Word(o, "type", tokenTypes...), defaultIDToken)),
	}
	if t.Value == "" {
		o.Fail("idToken", "empty: want 1 to 255 characters")
	}
	return t
}

// swipe holds a card at the reader. The reader hands it to the station at once.
func (c *call) swipe(v *strict.Value) (any, error) {
	o := c.Object(v, "idToken", "type", "evses", "additionalInfo")
	sw := halsim.Swipe{Token: token(o)}
	o.Each("evses", maxReaders, func(_ int, v *strict.Value) {
		if id := strict.IntOf[term.EVSEID](&c.Reader, v, 1, math.MaxInt32); id != nil {
			sw.EVSEs = append(sw.EVSEs, *id)
		}
	})
	o.Each("additionalInfo", maxAdditional, func(_ int, v *strict.Value) {
		a := c.Object(v, "additionalIdToken", "type")
		a.Need("additionalIdToken", "a string")
		a.Need("type", "a string")
		sw.Additional = append(sw.Additional, term.AdditionalInfo{
			Value: strict.Or(strict.Text(a, "additionalIdToken", maxInfoID), ""),
			Type:  strict.Or(strict.Text(a, "type", maxInfoType), ""),
		})
	})
	if err := c.bad(); err != nil {
		return nil, err
	}
	w := c.o.World()
	if err := w.Swipe(sw); err != nil {
		return nil, err
	}
	if got, ok := w.TakeSwipe(); ok && !c.o.Station.Post(station.TokenRead{Token: got.Token, Info: got.Additional, EVSEs: got.EVSEs}) {
		return nil, fmt.Errorf("nobody reads the card: %w", ErrOff)
	}
	c.o.Log.add("swipe", term.Ref{}, data{"idToken": sw.Token.Value, "type": sw.Token.Type, "evses": sw.EVSEs})
	return done{}, nil
}

// stop presses the stop button.
func (c *call) stop(v *strict.Value) (any, error) {
	o := c.Object(v, "evse")
	evse := strict.Or(strict.Int[term.EVSEID](o, "evse", 1, math.MaxInt32), 0)
	if err := c.bad(); err != nil {
		return nil, err
	}
	if err := c.exists(evse); err != nil {
		return nil, err
	}
	return c.post(station.StopPressed{EVSE: evse})
}

// exists checks the number of an EVSE; 0 is the station.
func (c *call) exists(id term.EVSEID) error {
	if id == 0 {
		return nil
	}
	for _, e := range c.o.World().State().EVSEs {
		if e.ID == id {
			return nil
		}
	}
	return fmt.Errorf("EVSE %d: %w", id, halsim.ErrNotFound)
}

// post hands an event to the station.
func (c *call) post(ev station.Event) (any, error) {
	if !c.o.Station.Post(ev) {
		return nil, fmt.Errorf("nobody is there to notice: %w", ErrOff)
	}
	return done{}, nil
}

// bay parks a car in the bay, or drives it away.
func (c *call) bay(v *strict.Value) (any, error) {
	o := c.Object(v, "occupied")
	o.Need("occupied", "true or false")
	occupied := strict.Or(strict.Flag(o, "occupied"), false)
	if err := c.bad(); err != nil {
		return nil, err
	}
	if err := c.o.World().SetBay(c.evse, occupied); err != nil {
		return nil, err
	}
	c.o.Station.Post(station.BayChanged{EVSE: c.evse, Occupied: occupied}) // a station that is off looks when it starts
	return done{}, nil
}
