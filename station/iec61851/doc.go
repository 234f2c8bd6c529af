// Package iec61851 is the pure machine of one AC connector in charging mode 3: it reads the control pilot, the
// proximity resistor, the feedback contacts and the safety inputs, and says what contactor, pilot generator and
// lock shall do (IEC 61851-1, Annex A for the pilot and Annex B for the proximity circuit).
//
// One Step is one look at the wires:
//
//	wires, permit --> classify + debounce --> causes --> faults --> lock --> offer (PWM) --> contactor --> Output
//
// The way to energy, each arrow a condition that is checked again in every Step:
//
//	open --permit, plug, lock fed back--> PWM on --car in C (or D), diode seen--> command close --feedback--> closed
//	closed --car leaves C/D | stopping fault | Fail--> open at once
//	closed --permit withdrawn--> PWM off --car leaves C/D | no current flows | OffLimit passed--> open
//	opened --feedback open--> may unlock, may close again after RecloseDelay
//	opened --feedback still closed after OpenLimit--> welded: state F, latched until a fitter's acknowledgement
//
// Nothing here allocates, blocks, or knows the time but by the now that it is given.
package iec61851
