package modbus

// Unit is one virtual unit behind a Server. Its methods are called one at a time per request and answer with an
// Exception where the unit refuses; any other error is told as DeviceFailure.
type Unit interface {
	// ReadTable returns count registers or bits, beginning with address.
	ReadTable(kind Kind, address, count uint16) ([]uint16, error)
	// WriteTable writes registers or coils, beginning with address.
	WriteTable(kind Kind, address uint16, values []uint16) error
}
