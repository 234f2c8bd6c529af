package fit

import (
	"fmt"
	"strings"
	"sync"

	"github.com/evsed/evsed/boards"
	"github.com/evsed/evsed/hal"
	"github.com/evsed/evsed/hal/display"
	"github.com/evsed/evsed/hal/i2c"
	"github.com/evsed/evsed/station/term"
)

// lcd is the size of the display.
var lcd = display.Size{Columns: 16, Rows: 2}

// panel shows on one display what the connectors do.
type panel struct {
	f    *Fitted
	dev  opening[*display.Display]
	ids  []term.EVSEID
	mu   sync.Mutex // of says
	says map[term.EVSEID]hal.Indication
}

// fitDisplay makes the display; nil: the board has none.
func (f *Fitted) fitDisplay() (func(term.Ref, hal.Indication), error) {
	d := f.board.Display
	if d == nil {
		return nil, nil
	}
	b := f.board.Bus(d.Bus)
	if b == nil || b.Kind != boards.BusI2C {
		return nil, fmt.Errorf("display %s at bus %q: want an I2C bus", d.Model, d.Bus)
	}
	name := fmt.Sprintf("display %s at i2c %s", d.Model, b.Port)
	at := place{term.Ref{}, term.FaultOther}
	p := &panel{f: f, says: map[term.EVSEID]hal.Indication{}}
	for _, e := range f.served() {
		p.ids = append(p.ids, e.ID)
	}
	p.dev = opening[*display.Display]{now: f.o.Now, open: func() (*display.Display, error) {
		var chip *i2c.Device
		chip, err := f.chipAt(b, d.Address)
		if err != nil {
			return nil, err
		}
		return display.LCD(chip, lcd, display.Options{Name: name, Notify: func(err error) { f.tell(name, at, err) }})
	}}
	f.ends = append(f.ends, func() { p.dev.end(func(x *display.Display) { _ = x.Close() }) })
	return p.show, nil
}

// show shows what each connector does, one behind the other.
func (p *panel) show(ref term.Ref, in hal.Indication) {
	p.mu.Lock()
	p.says[ref.EVSE] = in
	var words []string
	for _, id := range p.ids {
		if w := p.says[id].String(); len(p.ids) == 1 {
			words = append(words, w)
		} else {
			words = append(words, fmt.Sprintf("%d %s", id, w))
		}
	}
	p.mu.Unlock()
	if dev, err := p.dev.get(); err == nil {
		dev.Show(strings.Join(words, " "))
	} else {
		p.f.tell("display", place{term.Ref{}, term.FaultOther}, err)
	}
}
