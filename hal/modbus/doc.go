// Package modbus speaks Modbus as a client and as a server, over a serial line (RTU) and over TCP.
//
// A Bus is one line or one connection with all the units behind it. One goroutine owns it; who wants something of a
// unit waits in a bounded queue and keeps its own deadline:
//
//	Read, Write… ──► queue ──► owner ──► silence of 3.5 characters ──► request ──► answer, checked ──► caller
//
// An answer is believed only when checksum, unit, function and length fit the request; what does not fit is an error
// with a name (ErrCRC, ErrShort, ErrForeign, ErrNoAnswer). What a unit refuses is an Exception.
//
// Server answers for virtual units, in tests and where the board is simulated.
//
// Sources: MODBUS Application Protocol Specification V1.1b3; MODBUS over Serial Line V1.02; MODBUS Messaging on TCP/IP
// Implementation Guide V1.0b.
package modbus
