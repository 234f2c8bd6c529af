// Package uml runs the station and its drivers on a real kernel without hardware: a User-mode Linux with gpio-sim, stubs of chips on
// an I2C bus, a virtual CAN bus, a PWM chip, converters, a thermometer, LEDs, a keyboard that
// types cards, and a watchdog.
//
//	make test-kernel        builds the kernel once (kernel.sh), then: go test ./scripts/uml
//
//	go test ./scripts/uml                            outside: TestKernel
//	  |  boots EVSED_UML_KERNEL on a root of the host's files: evsed, a board file, and this very test program as /init
//	  v
//	/init                                            inside: process 1, TestMain
//	   mounts, and makes the board: lines, chips, can0
//	   wires (goroutine): what hangs at them: vehicle, contactor, lock, meter
//	   TestKernel/...: the checks, whose results the outside takes over by name
//
// What can be pulled is pulled as hardware would: by gpio-sim's own files, and by the registers of chips. The drivers under test see
// the kernel alone.
package uml
