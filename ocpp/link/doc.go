// Package link is the station's connection to its CSMS.
//
// Engine is the rules: a single-threaded state machine without goroutine, clock or socket. It owns what is queued for the
// CSMS across connections and the calls that are under way on the open one. Link is the I/O around it: it dials, keeps
// time, moves frames and notices when the other end has gone.
//
//	       Send, Wake, Respond, SetGate, Configure … (never block)
//	                       │ mailbox
//	events to the core ◄── owner goroutine ──► Engine
//	                       │        ▲
//	           frames out  ▼        │ frames in, one at a time
//	                writer, pinger  reader            one of each per connection
//
// # Order of sending
//
// One CALL is under way at a time (part 4, 4.1.1). A BootNotification goes before everything. Before the CSMS has
// accepted the station only what it asked for may leave (B02.FR.02), after a rejection only the next BootNotification
// (B03.FR.02). Then three lanes share the connection: Now reports first in, first out; Latest ones, the newest of each
// slot; and the outbox, strictly in key order, one at a time. An earlier lane overtakes a later one at most MaxOvertakes
// times in a row, so that an inventory of a hundred parts does not hold up the bill and a backlog of a month does not
// hold up a driver.
//
// # Refused is not the same as unanswered
//
// A kept report that the CSMS answers with a CALLERROR has reached a working CSMS which cannot take it, and will most
// likely not be able to take it later: after the configured number of attempts it is given up (E13.FR.04) and the core
// puts it aside. A kept report without an answer tells nothing about the report: the CSMS may be down behind a proxy
// that keeps the WebSocket open, and then every report in the queue would be thrown away one after the other, which is
// the bill of every driver of that day. So silence paces the next transmission as a refusal does (E13.FR.03), but is
// never counted as one. After a few silences in a row the connection itself is held to be dead: it is closed and
// dialled again, with back-off, because being connected means that a CALL was answered.
//
// A kept report that is no part of a transaction, and that the CSMS says it has no message for, is settled at once: one of 1.6
// without the security extension must not hold up bills with each security event.
//
// # Generations
//
// What is offered is what the network profile lists; what is spoken is what the CSMS picks (handshake in dial.go). A
// transaction is told in one generation: generation.go and docs/design/0012. A dialect whose calls rest on answers is not
// ocpp.Independent, and the report behind one that is under way is not encoded before the answer is in the side table. What
// the table takes with an answer goes to the core with the outcome, into the batch of the acknowledgement.
//
// Where 1.6 differs on the wire: error codes have its spelling; a rejected station does not answer at all (4.2 of the
// specification); a message id may come again with a retry (errata 3.1 of OCPP-J). What some CSMS needs beyond that is a row
// of QuirkTable.
//
// # Requests of the CSMS
//
// The CSMS may have only one CALL under way, but may give one up after a time that only it knows and then send the next
// (part 4, 4.1.1). So a second one is not refused: up to MaxInbound are with the core at once, and each is answered with
// its own id. A message id is used once (4.1.4). A CALL with the id of an earlier one on the connection is refused in
// 2.0.1 and before (4.2.3); 2.1 lets a retry keep its id, and there the one answer that the first got, or will get,
// serves both.
//
// # A hostile CSMS
//
// What is kept of a message is bounded (DefaultFrame, rpc.Limits), as are the messages that wait (MaxInbound, MaxUnsent,
// MaxNow), the pace at which they are read (MessageEvery) and what they may have written to flash (KeptBurst, ListBurst).
// Refusals are CALLERRORs of GenericError whose words do not change, and the session goes on.
//
// A server must not mask its frames, and a client must hang up on one that does (RFC 6455, 5.1). The WebSocket library reads
// the header and does not tell, so that the session goes on. It does not unmask either: what a server that masks has to
// say is answered as what is no JSON.
package link
