// Years is the simulator of years: whole stations, their cars, a CSMS and everything that goes wrong with them, told from
// one seed by one goroutine in virtual time. What takes part is the product's own (core, runner, guard, link, dialect,
// storage) in the simulated world of hal/halsim and on the files of storage/faultfs; the same seed gives the same trace to
// the last byte.
//
//	drivers, cars, board faults ──► world ──► guard ──► runner ──► core
//	                                                      │ ▲
//	power, kills, flash faults ───► life      journal ◄───┘ └───── link ◄──► wire ◄──► CSMS
//	                                                                              │
//	                                  invariants ◄── world's truth, CSMS's books ─┘
//
// Time jumps to where something is due. While a car charges and nothing else happens, the readings in which only a register
// moved are left out (plan.cruise says for how long at a time); after every change the world is watched closely for a while.
//
// The invariants are those of the robustness design (checker.go and books.go name them at the lines that check them). They look at the
// world and at what the CSMS was told, never at the core's own state (but for its clock, by which schedules go). Where an answer was
// lost, what was asked for may or may not have been done, and the checker allows both until it is told. What does not exist yet
// cannot be checked: site and temperature limits in I3, signed meter values in I5, security profiles of a connection in I9 (the
// sockets are left out), firmware in I10.
//
//	make soak SEED=7 YEARS=10 [TRACE=file]        station-years of a year each; EVSED_FIGURES names a folder for years.tsv
package main
