// Package dialect2 translates between the station's vocabulary and OCPP 2.0.1 and 2.1, which share one set of
// messages.
//
//	station.Report ──Encode──► CALL ──► CSMS ──► CALLRESULT ──Result──► station.Reply
//	station.Request ◄──Request── CALL ◄── CSMS
//	station.ResponseBody ──Respond──► CALLRESULT ──► CSMS
//
// The vocabulary speaks 2.1. Toward 2.0.1 three things need a rule, so that nothing is lost and nothing is invented:
//
//   - A word that came with 2.1 is told by the 2.0.1 word that is also true (triggerReason TxResumed is a
//     ChargingStateChanged).
//   - A token that 2.0.1 cannot carry goes out as a Central token with the whole truth in additionalInfo (token.go).
//   - Free text that only people read (techInfo, additionalInfo of a statusInfo) is cut to the version's length.
//     Everything else that does not fit is an error: the core or the board file said something that it must not say.
//
// What has a default on the wire is left out when it is the default, except where a reader of a log would miss it:
// measurand and context of a sampled value, type and mutability of a variable attribute are always told.
package dialect2
