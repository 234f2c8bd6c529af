package sim

import (
	"time"

	"github.com/evsed/evsed/station/local/strict"
)

// upload says how the next log or diagnostics upload goes, which is then none.
func (c *call) upload(v *strict.Value) (any, error) {
	o := c.Object(v, "result", "stepMs")
	o.Need("result", "ok or fail")
	result := strict.Or(strict.Word(o, "result", "ok", "fail"), "")
	step := time.Duration(strict.Or(strict.Int(o, "stepMs", 0, maxDelayMs), 0)) * time.Millisecond
	if err := c.bad(); err != nil {
		return nil, err
	}
	if c.o.PlanUpload == nil {
		return nil, notSimulated("log uploads")
	}
	c.o.PlanUpload(result == "ok", step)
	return done{}, nil
}
