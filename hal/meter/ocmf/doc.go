// Package ocmf reads signed meter records in the Open Charge Metering Format and judges them; and writes them, for meters that are
// simulated.
//
// A record is kept as it came, byte by byte: what is signed is the text of its payload, not its meaning. A judgement
// has three verdicts that do not depend on each other, since each has another cause and another cure:
//
//	signature     the payload is what the meter signed with this key
//	completeness  the records are all of one transaction of one meter, from its begin to its end, without a gap
//	semantics     each field is there and says something that the format knows
//
// Source: Open Charge Metering Format, version 1.4.1.
package ocmf
