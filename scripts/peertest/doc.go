// Package peertest runs the built station against CSMS libraries that others wrote, over real sockets on loopback:
//
//   - ocpp-go (lorenzodonini, Go) for OCPP 1.6J and 2.0.1, in this process;
//   - ocpp (mobilityhouse, Python) for OCPP 1.6J, 2.0.1 and 2.1, which checks every message in both directions against its JSON
//     schemas; skipped where python3 has no packages ocpp and websockets.
//
// A Peer is such a library with three handles: what it answers (one Go function for all peers), what it is made to send,
// and a journal of every frame and of everything the library found wrong. A test fails when the journal holds a finding,
// whatever else went well.
//
// Each generation has its requests (every one that a CSMS can make, and broken ones), its sessions with cuts of network and
// power, and its books: what the CSMS was told must be whole, and for 1.6, where it bills by registers and ids of its own, add
// up to what the meters show.
//
// It is a module of its own: the peers are no dependency of the product.
package peertest
