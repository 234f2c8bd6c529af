// Package dialect16 translates between the station's vocabulary and OCPP 1.6 with its security whitepaper.
//
//	station.Report ──Encode──► CALL ──► CSMS ──► CALLRESULT ──Result──► station.Reply
//	station.Request ◄──Request── CALL ◄── CSMS
//	station.ResponseBody ──Respond──► CALLRESULT ──► CSMS
//
// The vocabulary is that of 2.1. Where 1.6 is poorer or otherwise, these rules hold:
//
//   - A fact that 1.6 has no message for is told by none: the device model's reports and events, the end of a reservation.
//     A fault goes with the status of the connector.
//   - The connectors are numbered through (ConnectorNumber). A number that no connector has becomes a place that no station
//     has, and an id that no transaction has becomes a transaction that nobody knows: the core refuses it, in the words of
//     the request.
//     A request that names one of several connectors of an EVSE is meant for the EVSE where the core knows no connector: a
//     start, a reservation, a charging profile.
//   - A tag has no type; here it is taken for a card (token.go).
//   - The CSMS names the transactions. Which of ours has which number is in the side table, durable with the answer that
//     brought it (side.go), and goes with the transaction. Numbers that come late, never or twice are told there.
//   - Configuration keys are variables of the device model, by one table (keys.go). What the standard has no key for is
//     listed, and may be set, under a name of ours: "TxCtrlr.TxStartPoint".
//   - Energy is told in whole watt-hours as a meter shows it, rounded down; values in their unit as exact decimals.
//
// # What a station is configured to
//
// A transaction of 1.6 begins when somebody who may charge and a car have come together, and ends when one of them has
// left: TxStartPoint and TxStopPoint PowerPathClosed, which are the defaults. With other points the transaction is told
// from the first event at which tag and connector are known. MeterValueSampleInterval and ClockAlignedDataInterval are for
// the values during a transaction and for those at its end alike: each sets both variables of 2.x.
//
// What this station does not offer is answered NotSupported: updates and uploads, in both forms, and certificates.
package dialect16
