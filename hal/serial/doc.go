// Package serial opens UARTs for who speaks over them: a bus of meters, a reader, a safety controller.
//
// A Port is one open serial device. It has deadlines as a network connection has them, one owner at a time (a second
// Open is refused and told who holds the port), and it survives an adapter that is unplugged: reads and writes then
// fail with ErrUnplugged, and the port opens the device again by itself when it is back.
//
//	Open ──► open ──ENODEV, EIO, end of file──► unplugged ──back-off──► open
//	           │                                     │
//	           └──────────────── Close ◄─────────────┘
package serial
