// Package pn532 reads cards with an NXP PN532, over its high-speed UART or over I2C (NXP UM0701-02, "the manual").
//
// Every command goes the same way, and each step has its own deadline:
//
//	host ── frame ──► chip      the chip acknowledges within 15 ms (manual, 6.2); nothing: wake it, and say it again
//	host ◄── ACK ───
//	host ◄── answer ─           wrong checksum or cut short: NACK, the chip says it again
//
// A chip that does not answer at all is an error of Scan; the next Scan wakes it and sets it up from the start, so a
// chip that was reset, or unplugged and plugged in again, comes back by itself.
package pn532
