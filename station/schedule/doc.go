// Package schedule holds charging profiles, and what they say together about the limit of each moment (OCPP 2.1 part 2,
// block K; OCPP 1.6 edition 2, 3.13, with its errata).
//
//	Put, Restore ──► Set ──► Limit    of an EVSE now, and until when
//	Begin, End ────►     ──► Compose  of an EVSE or the station, over a time
//
// Profiles lie in stacks. In a stack the profile with the highest level leads among those that are valid and have a
// period at the moment (K01.FR.17, part 2 K 3.5): one whose schedule is over makes room for a lower one, one without a
// duration never does. There are:
//
//   - of each EVSE, TxProfiles on top of TxDefaultProfiles (K02.FR.04, .08). A TxDefaultProfile of the station is in the
//     stack of every EVSE (K01.FR.14); at the same level the one of the EVSE leads (1.6 3.13.1).
//   - of each EVSE and of the station, external constraints. They are two: a limit of the whole station is not overruled
//     by one of an EVSE.
//   - of the station, ChargingStationMaxProfiles.
//
// The limit is the lowest of all these stacks and the supply (SC.01, K08.FR.04), phase by phase: the least current of a
// phase, the least number of phases. Amperes are of each phase (K01.FR.51). Watts are divided by the nominal voltage and
// the number of phases that the period names, three if none (K01.FR.49, .50), and not by those that are there: what
// is for more phases than there are counts for those that there are (1.6 errata 4.0, 3.34, 3.69). Nothing is rounded
// until it is told, and then down.
//
// A schedule counts from its start (K01.FR.30), again every 24 hours or 7 days if it recurs; what is longer than the
// recurrence is not executed (1.6 5.16.4). A Relative one, or one of 1.6 without a start, counts from when a transaction
// is ready to deliver energy, with a driver authorized and a car connected (K01.FR.42); without such a transaction it is
// as if one began (K08.FR.06). The station as a whole has no such moment: there it counts from its arrival.
//
// Times are UTC and fractions of a second are dropped; no clock change of a country moves anything.
package schedule
