// Package rectifier drives the power modules of a DC output over CAN, several in parallel as one supply.
//
//	s, err := rectifier.Open(bus, rectifier.Spec{Model: "infypower/reg1k0100", Addresses: []uint8{1, 2}, ...})
//	s.Set(voltage, current); s.On(); s.Off()     // levels: said again with each round until the modules have taken them
//	s.Output()                                   // the output, with the age of what it says; each module with its alarms
//
// One goroutine owns a supply. It says and asks everything in rounds, so that a lost frame delays and nothing more, and
// so that modules which stop by themselves when they hear nothing hear something.
//
// A module that is silent may still deliver: its share stays counted until it must have stopped by itself
// (Spec.StopOnSilence), and only then do the others take it over.
//
// Frames of the Infypower REG, CEG and LRG series (protocol 1.13), 29 bits, 125 kbit/s, numbers big endian. They are those
// that two open drivers agree on (EVerest's and the one of an ESP32 charger):
//
//	identifier  28..26 error | 25..22 device: 0xA one module | 21..16 command | 15..8 to | 7..0 from; controller 0xF0, all 0x3F
//	0x03        asks: none; answer: f32 V, f32 A                                    of the output
//	0x04        asks: none; answer: [2] group, [4] i8 °C, [5] [6] [7] alarms
//	0x0A        asks: none; answer: u16 V most, u16 V least, u16 0.1 A most, u16 10 W
//	0x0C        asks: none; answer: u16 0.1 V behind the diode, u16 0.1 A available
//	0x1A        [0] 0: on, 1: off                                                   answered alike
//	0x1C        u32 mV, u32 mA                                                      answered alike
//
// Walk-in is told (an alarm bit) and not set: the drivers do not agree on the command.
package rectifier
