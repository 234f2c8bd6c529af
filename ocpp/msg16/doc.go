// Package msg16 is the vocabulary of OCPP 1.6 and of its security whitepaper, edition 3: one type for each of the 28 + 11
// requests and responses and for each of their parts, with tables for package layout, which checks in the same pass what the
// schemas ask: presence, length, enumeration, arity, unknown members.
//
//	request, known := msg16.NewRequest(frame.Action)
//	err := msg16.Decode(&body, request)
//	out, err := msg16.AppendJSON(dst, &msg16.ResetResponse{Status: msg16.ResetStatusAccepted})
//
// The zz_*.go files are written by scripts/gen2 from the schemas. These name no types; the names are those of the
// specification without a Type at their end (chapter 7: IdTagInfo, ChargingProfile, KeyValue), and equal parts are one
// type. Two enumerations of the whitepaper are called as others in the core and have other values: ExtendedMessageTrigger
// and SignedFirmwareStatus.
//
// A member that may be missing is an Opt; an enumeration says absent by "", a list by having no element, which means the
// same wherever 1.6 has a list that may be missing. A required list may be empty: the schemas do not ask for an element.
//
// What the schemas leave open and we do not:
//
//   - integers have 32 bits, as in SOAP;
//   - text without a length is bounded: data of DataTransfer by 65535 characters, the value of a sample by 32768, where a
//     file goes to or comes from by 2048. What they hold is nobody's business here;
//   - customData is unknown: it came with 2.0.
//
// No type can be compared with ==, so that the compiler writes no code for it: 78 messages weigh on a small machine.
//
// Limits of charging schedules are multiples of 0.1, exactly: 16.05 is refused in both directions, so whoever sends one
// rounds it down first. Names of enumerations are told apart by case. CiString, the text that 1.6 wants compared without
// regard to case (idTag, keys of the configuration), is handed on as it came: comparing is for who knows what it means.
//
// An error of Decode has the code of 2.x; rpc.ErrorCode.In spells it for 1.6. Decoded strings are windows of the frame
// they came in: strings.Clone what outlives the request.
package msg16
