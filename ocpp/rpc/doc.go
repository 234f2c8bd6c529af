// Package rpc is OCPP-J: the frames around a message (OCPP 2.0.1 and 2.1 part 4, chapter 4) and the strict
// JSON reader and writer that the generated messages are made of.
//
//	raw bytes -> Parse -> Frame{Type, ID, Action, Payload} -> Body.Reset(Payload) -> message.Decode
//	message.AppendJSON between OpenCall and ']' -> raw bytes
//
// Parse copies a frame once; every string taken out of it afterwards is a window of that copy. Nothing
// here keeps a float: numbers are integers or a Decimal.
package rpc
