// Package systemd holds the units of a charging station, and tests that hold them to what they promise.
package systemd
