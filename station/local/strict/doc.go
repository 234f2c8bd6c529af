// Package strict reads JSON that a person or a test wrote. Nothing is accepted and ignored: a key that nobody asks
// for, a key given twice, a null where a value belongs, text that is not UTF-8 and a second document are errors. Each
// error is one line that names the place, the field and the cure:
//
//	7:15: evses[0].phases: 2: want 1 or 3
//
// A document is parsed into Values. A Reader then takes them apart and keeps the first error, so that a decoder reads
// as a list of its fields:
//
//	o := r.Object(v, "id", "phases")
//	id := strict.Or(strict.Int(o, "id", 1, 32), 1)
//
// There is no reflection and no struct tag; the names of an object are those that Object is given.
package strict
