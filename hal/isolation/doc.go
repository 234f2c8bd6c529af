// Package isolation reads insulation monitors over Modbus.
//
//	m, err := isolation.New("bender/isocha425hv", client, unit)
//	m.Read(ctx)                               // resistance to earth, voltage of the output, alarm
//	m.SelfTest(ctx)                           // before a session
package isolation
