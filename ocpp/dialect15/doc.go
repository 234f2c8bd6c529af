// Package dialect15 speaks OCPP over SOAP: 1.6, 1.5 and 1.2. It stands in front of dialect16 and turns its payloads into those
// of the older versions and back; what a payload looks like as XML is the business of ocpp/soap.
//
// 1.6 over SOAP is dialect16 without what its WSDLs do not have: the security whitepaper. The older versions say less:
//
//   - Five words for the status of a connector in 1.5, four in 1.2. A change that they do not show is not told.
//   - Error codes and kinds of firmware and diagnostics status that have no word become OtherError, the nearest word, or no
//     call at all (words.go).
//   - Meter values of 1.5 stand in attributes and have no phase; a value of one phase is not told, since it would be taken for
//     one of all phases. In 1.2 a meter value is the register in Wh, and nothing else can be told.
//   - StopTransaction has no reason, and in 1.2 no values.
//   - 1.2 has no DataTransfer, GetConfiguration, local list, or reservation.
//
// SendLocalList of 1.5 may bring a hash. No text says of what, so that it is not compared, and none is given.
package dialect15
