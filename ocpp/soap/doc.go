// Package soap is OCPP over SOAP: the SOAP 1.2 envelope with the headers that OCPP-S 1.6 (chapter 3) asks for, its faults
// (chapter 4), and the bodies of OCPP 1.2, 1.5 and 1.6.
//
//	JSON payload -> AppendRequest, AppendResponse -> envelope
//	envelope -> Parse -> Message{Header, Operation, Payload}
//
// Bodies are transcoded: an XML body becomes the JSON payload that says the same, and back. The tables that say which
// elements a message has come from the WSDLs (scripts/gensoap); 1.6's are those of OCPP-J 1.6 word for word, so that one
// set of messages and one dialect serve both wires. See docs/design/0013-soap-is-transcoded.md.
//
// What a peer may send is XML 1.0 in UTF-8 without a document type: no entities but the five of XML itself, no processing
// instructions, and bounds on everything (limits.go). Every refusal is a *Fault that says what is wrong.
package soap
