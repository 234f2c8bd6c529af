// Package dryrun plays what a charging station has to do on the board of a board file, before there is one: the bench of
// package bench, the line table that is compiled from the file, the guard with its real drivers, and cars, cables and
// faults in virtual time.
//
//	board file ──► bench (hardware)  ◄── drivers ◄── line table ◄── board file
//	                    ▲                    │
//	   car, cable, faults                  guard ──► status, measured against limits
//
// Each scenario begins with a fresh board, so that one that fails does not hide the next.
package dryrun
