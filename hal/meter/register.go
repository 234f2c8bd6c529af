package meter

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/evsed/evsed/hal/modbus"
)

// quantity is what a register measures.
type quantity uint8

const (
	voltage quantity = iota + 1
	current
	power
	powerExport // of meters that show both directions as positive numbers
	energyImport
	energyExport
	frequency
	powerFactor
)

var quantities = map[string]quantity{
	"voltage": voltage, "current": current, "power": power, "power.export": powerExport, "energy.import": energyImport,
	"energy.export": energyExport, "frequency": frequency, "power_factor": powerFactor,
}

// String returns the quantity's key in a meter file.
func (q quantity) String() string {
	for name, o := range quantities {
		if o == q {
			return name
		}
	}
	return "quantity?"
}

// prefixes are the units and how many decimal places above the base unit they are.
var prefixes = map[string]int{"V": 0, "mV": -3, "A": 0, "mA": -3, "W": 0, "kW": 3, "Wh": 0, "kWh": 3, "Hz": 0, "1": 0, "": 0}

func (q quantity) units() []string {
	switch q {
	case voltage:
		return []string{"V", "mV"}
	case current:
		return []string{"A", "mA"}
	case power, powerExport:
		return []string{"W", "kW"}
	case energyImport, energyExport:
		return []string{"Wh", "kWh"}
	case frequency:
		return []string{"Hz"}
	}
	return []string{"1"}
}

// register is where a number lies, and how it is meant.
type register struct {
	format
	kind    modbus.Kind
	address uint16
	little  bool
	scale   fixed // to the base unit

	power   uint16 // the register of a signed decimal exponent, of the same kind
	powered bool

	absent      uint64 // what the register shows when it has nothing to show
	mayBeAbsent bool
}

// value is a register with its meaning.
type value struct {
	quantity quantity
	line     int // 0 to 2
	register
}

// probe is the register that tells a meter from others.
type probe struct {
	register
	expect [2]int64 // thousandths of the base unit
	oneOf  []uint64
}

// block is a run of registers that is read at once.
type block struct {
	kind           modbus.Kind
	address, count uint16
}

// How many registers are read at once, and how many that nobody needs are read over, unless the model says otherwise.
// Nothing is read over by default: some meters refuse a block for one register that they do not have.
const (
	defaultBlock = 60
	defaultGap   = 0
)

// plan groups the registers of a model into blocks.
func (f *file) plan(m *Model) error {
	limit, gap := f.Read.Max, f.Read.Gap
	if limit == 0 {
		limit = defaultBlock
	}
	if limit < 4 || limit > 125 || gap < defaultGap || gap >= limit {
		return fmt.Errorf("read: max %d, gap %d: want 4 to 125 registers, and a gap below that", limit, gap)
	}
	var spans []block
	for _, v := range m.values {
		spans = append(spans, block{v.kind, v.address, uint16(v.words)})
		if v.powered {
			spans = append(spans, block{v.kind, v.power, 1})
		}
	}
	slices.SortFunc(spans, func(a, b block) int {
		return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.address, b.address))
	})
	for _, s := range spans {
		end := int(s.address) + int(s.count)
		if n := len(m.blocks); n > 0 {
			last := &m.blocks[n-1]
			have := int(last.address) + int(last.count)
			if last.kind == s.kind && int(s.address) <= have+gap && max(end, have)-int(last.address) <= limit {
				last.count = uint16(max(end, have) - int(last.address))
				continue
			}
		}
		m.blocks = append(m.blocks, s)
	}
	if len(m.blocks) > maxBlocks {
		return fmt.Errorf("map: takes %d requests, want at most %d: raise read.gap", len(m.blocks), maxBlocks)
	}
	return nil
}

// maxBlocks bounds the requests of one reading: at 9600 bit/s one takes 40 to 80 ms, and a reading has two seconds.
const maxBlocks = 16

// image is the registers of one reading.
type image struct {
	blocks []block
	words  [][]uint16
}

// at returns registers of the image; nil if they are not in it.
func (im image) at(kind modbus.Kind, address uint16, count int) []uint16 {
	for i, b := range im.blocks {
		from := int(address) - int(b.address)
		if b.kind == kind && from >= 0 && from+count <= len(im.words[i]) {
			return im.words[i][from : from+count]
		}
	}
	return nil
}

// thousandths returns what a register of the image means, in thousandths of its base unit; there is false if the meter
// has nothing to show.
func (r register) thousandths(im image) (t int64, there bool, err error) {
	words := im.at(r.kind, r.address, r.words)
	if words == nil {
		return 0, false, fmt.Errorf("%v %d: was not read", r.kind, r.address)
	}
	raw := join(words, r.little)
	if r.mayBeAbsent && raw == r.absent {
		return 0, false, nil
	}
	fail := func() error { return fmt.Errorf("%v %d: %w (% 04x)", r.kind, r.address, errNumber, words) }
	if r.float {
		if t, err = r.scale.milliFloat(uint32(raw)); err != nil {
			return 0, false, fail()
		}
		return t, true, nil
	}
	v, exponent, err := r.decode(raw)
	if err != nil {
		return 0, false, fail()
	}
	if r.powered {
		w := im.at(r.kind, r.power, 1)
		if w == nil {
			return 0, false, fmt.Errorf("%v %d: was not read", r.kind, r.power)
		}
		exponent = int(int16(w[0]))
	}
	if exponent < -maxExponent || exponent > maxExponent {
		return 0, false, fail()
	}
	t, ok := r.scale.thousandths(v, exponent)
	if !ok || t > maxMilli || t < -maxMilli {
		return 0, false, fail()
	}
	return t, true, nil
}

// maxExponent bounds a decimal exponent of the wire.
const maxExponent = 12
