// Package sim is the control interface of a simulated station: HTTP and JSON on a loopback address, with which a test
// plays driver, car, fitter, mains and network. It acts on the simulated world and never on the OCPP logic; what the
// station makes of it, the station tells its CSMS. docs/SIM-API.md is the reference for users.
//
//	test ──HTTP──► Server ──► World      cables, cars, faults, meter: *halsim.World
//	                      ──► Station    cards, the stop button, the fitter's requests: the station's loop
//	                      ──► Power ...  what the runner does: mains, network, clock
//	     ◄──────── Log    ◄── World, Station, runner
//
// Every call returns at once. A call that needs the station waits for its loop for at most answerWithin and never for
// the CSMS. While the simulated mains are off there is no station, and the interface serves on.
package sim
