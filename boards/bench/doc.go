// Package bench builds the board of a board file as a thing that can be plugged into: every line, converter, generator,
// bus and reader that the file names, with what hangs at their ends. Drivers open it as they open a kernel.
//
//	drivers of the guard ── Kernel ──► lines, PWM, ADC, thermometers      coils, mirror contacts, motor, detectors, dividers
//	drivers of the buses ── Ports ───► meters, readers, controllers   ◄── and behind them hal/halsim: cable, car, grid
//
// The board is built from one description, and the drivers may be given another: a polarity, a gain or a name that is not
// what the board is shows as it would at the bench, by what does not move or is not measured.
//
// The bench has no goroutine of its own. It stands at an instant; every access first moves it to the instant that its clock
// gives, contact by contact.
package bench
