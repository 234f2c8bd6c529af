// Package isolation reads insulation monitors over Modbus.
//
//	m, err := isolation.New("bender/isocha425hv", client, unit)
//	m.Read(ctx)       // insulation resistance, voltages, alarm
//	m.SelfTest(ctx)   // before a session; takes seconds
//
// A monitor's own alarm relay is what protects; what is read here lets a sequence go on, and tells why it does not.
package isolation
