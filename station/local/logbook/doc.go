// Package logbook keeps the newest lines of the program's own log in memory, and writes the diagnostics of a station: how it
// is, its settings but for secrets, and those lines. Nothing of it goes to flash.
package logbook
