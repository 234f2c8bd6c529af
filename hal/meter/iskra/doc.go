// Package iskra lets Iskra's WM3M4 and WM3M4C sign what they counted. Their measurements are read by the register table
// iskra/wm3m4 of package meter; this is the rest: the meter is told the time and whose transaction it is, counts between
// two commands, and gives out the payload of a record of package ocmf with its signature.
//
//	Idle ──Start: time, metadata, 'B'──► Active ──Stop: 'r'──► Idle, signed
//
// Source: Iskra, WM3M4 user's manual, section 6.5; addresses agree with EVerest.
package iskra
