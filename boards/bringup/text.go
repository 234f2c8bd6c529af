package bringup

import (
	"fmt"
	"io"
	"time"
)

// Text writes the report for people.
func (r *Report) Text(w io.Writer) error {
	p := &printer{w: w}
	p.line("Bring-up of %s", r.Board)
	if r.Serial != "" {
		p.line("serial     %s", r.Serial)
	}
	p.line("program    evsed %s", r.Program)
	p.line("started    %s", r.Started.Format(time.RFC3339))
	if r.Ended != nil {
		p.line("ended      %s", r.Ended.Format(time.RFC3339))
	}
	for _, f := range r.Files {
		p.line("file       %s", f.Name)
		p.line("  sha256   %s", f.SHA256)
	}
	p.line("")
	count := map[Result]int{}
	for _, s := range r.Steps {
		count[s.Result]++
		p.line("%-10s %s", s.Result, heading(s))
		if s.Why != "" {
			p.line("           %s", s.Why)
		}
		for _, v := range s.Values {
			p.line("           %s", v)
		}
	}
	p.line("")
	p.line("%d steps: %d passed, %d failed, %d skipped, %d not fitted", len(r.Steps), count[Passed], count[Failed], count[Skipped], count[Left])
	switch {
	case r.Ended == nil:
		p.line("NOT FINISHED: evsed board bringup resume goes on with it")
	case r.Passed():
		p.line("PASSED")
	default:
		p.line("NOT PASSED: evsed board bringup resume makes again what has not passed")
	}
	return p.err
}

// printer keeps the first error of many lines.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}
