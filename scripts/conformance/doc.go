// Package conformance holds what evsed says against the official JSON schemas of OCPP 1.6 with its security whitepaper,
// 2.0.1 and 2.1, with a validator that others wrote. It has tests alone and is a module of its own, so that the validator
// is no dependency of the product.
//
//   - golden messages: every message in a golden file of the product (below ocpp/**/testdata) is valid against the schema
//     of its own version;
//   - samples: of every message of every version the least and the most that a schema allows is taken by ocpp/msg2 or
//     ocpp/msg16, and what they write of it is valid again;
//   - mutants: one broken rule at a time, at every place of every message, is refused by both. Where the two differ, a
//     table says why.
//
// The schemas are not part of this repository: SCHEMAS names their folder (SCHEMAS=dir go test ./...), with
// ocpp/1.6/*.json, ocpp/1.6-security/*.json, ocpp/2.0.1/*.json and ocpp/2.1/*.json in it. Without it the tests are skipped.
package conformance
