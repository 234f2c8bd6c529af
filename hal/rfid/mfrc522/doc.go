// Package mfrc522 reads cards with an NXP MFRC522 over SPI (its data sheet, section 9, has the registers; ISO/IEC 14443-3
// type A, section 6, has what cards are told).
//
//	WUPA ──► ATQA ──► for each cascade level: anticollision (UID bytes, BCC) ──► SELECT ──► SAK ──► HLTA
//
// Bits that collide are a second card, and that is the end of the look: which of two cards is meant, nobody knows.
package mfrc522
