// Package rectifier drives the power modules of a DC station over CAN.
//
//	s, err := rectifier.Open(bus, rectifier.Spec{Model: "infypower/reg1k0100", Modules: ...})
//	s.Set(voltage, current); s.On(); s.Off()  // levels, told again until every module has taken them
//	s.Output()                                // sum of the modules with the age of the oldest, alarms of each
package rectifier
