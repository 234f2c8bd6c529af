package ocmf

import (
	"fmt"
	"strings"
)

// State is how a verdict ends.
type State uint8

// States of a verdict.
const (
	Unknown State = iota // cannot be judged; the findings say why
	Good
	Bad
)

// String returns the state's name.
func (s State) String() string { return [...]string{"unknown", "good", "bad"}[s] }

// Finding is one thing that speaks against a record, or a remark that does not.
type Finding struct {
	Record int    // 1 is the first; 0 is all of them
	Field  string // "RD[1].TM"
	Text   string
	Remark bool // changes no verdict
}

// String returns the finding as a line.
func (f Finding) String() string {
	var b strings.Builder
	if f.Record > 0 {
		fmt.Fprintf(&b, "record %d: ", f.Record)
	}
	if f.Field != "" {
		b.WriteString(f.Field + ": ")
	}
	b.WriteString(f.Text)
	return b.String()
}

// Verdict is one of the three questions with its answer.
type Verdict struct {
	State    State
	Findings []Finding
}

// Judgement is the three verdicts on the records of one transaction.
type Judgement struct {
	Signature, Completeness, Semantics Verdict
}

// Good says whether all three are.
func (j Judgement) Good() bool {
	return j.Signature.State == Good && j.Completeness.State == Good && j.Semantics.State == Good
}

// Judge judges the records of one transaction, in their order. key is nil where none is known: then the signature
// cannot be judged.
func Judge(records []*Record, key *Key) Judgement {
	if len(records) == 0 {
		return Judgement{}
	}
	return Judgement{Signature: judgeSignatures(records, key), Completeness: judgeCompleteness(records), Semantics: judgeSemantics(records)}
}

// conclude is Bad if a finding is more than a remark.
func conclude(fs []Finding) Verdict {
	v := Verdict{State: Good, Findings: fs}
	for _, f := range fs {
		if !f.Remark {
			v.State = Bad
		}
	}
	return v
}
