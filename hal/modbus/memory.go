package modbus

// Memory is a Unit that keeps values by table and address. What was never set does not exist and is refused.
type Memory map[Kind]map[uint16]uint16

// Set puts values into a table, beginning with address, and makes those places exist.
func (m Memory) Set(kind Kind, address uint16, values ...uint16) {
	if m[kind] == nil {
		m[kind] = map[uint16]uint16{}
	}
	for i, v := range values {
		m[kind][address+uint16(i)] = v
	}
}

// ReadTable implements Unit.
func (m Memory) ReadTable(kind Kind, address, count uint16) ([]uint16, error) {
	values := make([]uint16, count)
	for i := range values {
		v, ok := m[kind][address+uint16(i)]
		if !ok {
			return nil, IllegalAddress
		}
		values[i] = v
	}
	return values, nil
}

// WriteTable implements Unit.
func (m Memory) WriteTable(kind Kind, address uint16, values []uint16) error {
	for i := range values {
		if _, ok := m[kind][address+uint16(i)]; !ok {
			return IllegalAddress
		}
	}
	m.Set(kind, address, values...)
	return nil
}
