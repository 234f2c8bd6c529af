// Package csms is a small CSMS in memory, for demos and tests: it lets stations in, answers what they say, and keeps
// books on every transaction so that somebody can check them. It stores nothing, knows no drivers but those it is
// given, and is no part of a product: only cmd/evsed-demo and tests link it.
//
//	over sockets     Serve(ctx, listener), Call(ctx, station, action, payload)
//	without sockets  Open(station, version), Handle(station, frame) -> answers, Begin(station, action, payload) -> frame
//
// Both ways share one set of rules. Handle starts no goroutine and reads no clock but Options.Now, so that a simulation in
// virtual time can step it.
//
// What a station does wrong (a message that is not valid, one it may not send, a transaction event that comes again with
// other content, a number twice, a register that falls) never stops the CSMS: it is kept as an error in the Ledger.
package csms
