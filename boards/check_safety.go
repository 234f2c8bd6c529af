package boards

import "fmt"

// policy is what a board may do with a protective function.
type policy struct {
	name   string
	owners []Owner
	ac, dc bool // boards with such an EVSE need it
	alone  bool // the agent may be its only owner at an AC EVSE
	linux  bool // the agent may be one of its owners at a DC EVSE
}

// policies are those of docs/safety-split.md.
func (c *checker) policies() []policy {
	s := &c.b.Safety
	return []policy{
		{"rcd", s.RCD, true, false, false, true},
		{"pe_monitor", s.PEMonitor, true, true, true, true}, // by the pilot
		{"overcurrent", s.Overcurrent, true, true, true, true},
		{"weld_check", s.WeldCheck, true, true, true, true},
		{"open_on_c_exit", s.OpenOnCExit, true, true, true, true},
		{"emergency_stop", s.EmergencyStop, false, true, false, false},
		{"overvoltage", s.Overvoltage, false, true, false, false},
		{"isolation", s.Isolation, false, true, false, true},
		{"door", s.Door, false, false, true, true},
	}
}

// owners of protective functions are there, allowed and able.
func (c *checker) owners() {
	var ac, dc bool
	for i := range c.b.EVSEs {
		ac, dc = ac || !c.b.EVSEs[i].DC, dc || c.b.EVSEs[i].DC
	}
	agent := false
	for _, p := range c.policies() {
		path := "safety." + p.name
		if len(p.owners) == 0 {
			switch {
			case p.name == "rcd" && ac:
				c.findf("safety", "BRD-305", "nobody owns rcd")
			case p.ac && ac || p.dc && dc:
				c.findf("safety", "BRD-300", "nobody owns %s", p.name)
			}
			continue
		}
		if (p.name == "overvoltage" || p.name == "isolation") && !dc {
			c.findf(path, "BRD-307", "%s on a board without DC", p.name)
		}
		if hasOwner(p.owners, OwnerAgent) {
			agent = true
			c.agent(p, path, ac, dc)
		}
		if hasOwner(p.owners, OwnerMCU) {
			c.mcuOwner(p.name, path)
		}
	}
	c.watchdog(agent)
	c.residual()
}

// agent refuses what Linux must not own, and what it has no device for.
func (c *checker) agent(p policy, path string, ac, dc bool) {
	if dc && !p.linux {
		c.find(path, "BRD-301", fmt.Sprintf("the agent owns %s of a DC board", p.name), "give it to hw or mcu: at a DC output Linux is too slow for it, and no safety function")
		return
	}
	if len(p.owners) == 1 && (!p.alone || dc && (p.name == "open_on_c_exit" || p.name == "pe_monitor")) {
		c.findf(path, "BRD-301", "the agent alone owns %s", p.name)
		return
	}
	lacks := ""
	switch p.name {
	case "overcurrent":
		for i := range c.b.EVSEs {
			if c.b.EVSEs[i].Meter == nil {
				lacks = fmt.Sprintf("EVSE %d has no meter", c.b.EVSEs[i].ID)
			}
		}
	case "rcd":
		for i := range c.b.EVSEs {
			if c.b.EVSEs[i].RCD == nil {
				lacks = fmt.Sprintf("EVSE %d has no rcd", c.b.EVSEs[i].ID)
			}
		}
	case "emergency_stop":
		if !c.hasInput(MeaningEmergencyStop) {
			lacks = "no input means emergency_stop"
		}
	case "door":
		if !c.hasInput(MeaningDoor) {
			lacks = "no input means door_open"
		}
	case "isolation":
		for i := range c.b.EVSEs {
			if e := &c.b.EVSEs[i]; e.DC && e.Isolation == nil {
				lacks = fmt.Sprintf("EVSE %d has no isolation", e.ID)
			}
		}
	}
	if lacks != "" {
		c.findf(path, "BRD-304", "the agent owns %s, and %s", p.name, lacks)
	}
}

func (c *checker) hasInput(m Meaning) bool {
	for _, in := range c.b.Inputs {
		if in.Meaning == m {
			return true
		}
	}
	return false
}

// mcuOwner wants a safety controller at every EVSE.
func (c *checker) mcuOwner(name, path string) {
	if len(c.b.MCUs) == 0 {
		c.findf(path, "BRD-302", "%s is an mcu's, and the board has none", name)
		return
	}
	for i := range c.b.EVSEs {
		if e := &c.b.EVSEs[i]; e.MCU == "" && len(e.atMCU()) == 0 {
			c.findf(path, "BRD-302", "%s is an mcu's, and EVSE %d has none", name, e.ID)
		}
	}
}

// watchdog looks over the agent.
func (c *checker) watchdog(agent bool) {
	owners := c.b.Safety.Watchdog
	switch {
	case hasOwner(owners, OwnerAgent):
		c.findf("safety.watchdog", "BRD-301", "the agent would watch over itself")
	case hasOwner(owners, OwnerHW) && c.b.Watchdog == nil:
		c.findf("safety.watchdog", "BRD-303", "safety.watchdog is hw, and the board names no watchdog")
	case agent && len(owners) == 0:
		c.findf("safety", "BRD-303", "the agent owns protective functions, and nobody owns watchdog")
	case c.b.Watchdog != nil && !hasOwner(owners, OwnerHW):
		c.findf("watchdog", "BRD-210", "a watchdog that safety.watchdog does not name")
	}
	if hasOwner(owners, OwnerMCU) {
		c.mcuOwner("watchdog", "safety.watchdog")
	}
	if w := c.b.Watchdog; w != nil && w.Timeout%1e9 != 0 {
		c.find("watchdog.timeout", "BRD-108", w.Timeout.String(), "want whole seconds")
	}
}

// residual looks for fault-current devices that are there and that nobody reads.
func (c *checker) residual() {
	for i := range c.b.EVSEs {
		e := &c.b.EVSEs[i]
		at := evsePath(e)
		if !e.DC && e.RCD == nil && len(c.b.Safety.RCD) > 0 && !hasOwner(c.b.Safety.RCD, OwnerAgent) {
			c.findf(at, "BRD-306", "EVSE %d has no rcd", e.ID)
		}
		if r := e.RCD; r != nil && !r.MCU && (r.Test != nil) != (r.Every > 0) {
			c.find(join(at, "rcd"), "BRD-210", "one of test and selftest", "give both: the line that makes it trip, and when and how fast; or neither")
		}
	}
}

// inputs have what their meaning needs.
func (c *checker) inputs() {
	for i := range c.b.Inputs {
		in := &c.b.Inputs[i]
		path := "inputs." + in.Name
		if (in.Line.Name == "") == (in.MCU == "") {
			c.find(path, "BRD-210", "input "+in.Name, "want one of line and mcu")
		}
		if limit := c.given(join(path, "limit")); limit != (in.Meaning == MeaningCurtail) {
			if limit {
				c.findf(join(path, "limit"), "BRD-330", "a limit that is not of curtail")
			} else {
				c.findf(path, "BRD-330", "curtail without limit")
			}
		}
		stops := in.Meaning == MeaningEmergencyStop || in.Meaning == MeaningDoor
		l := in.Line
		if stops && (l.ActiveLow && l.Bias == BiasPullUp || !l.ActiveLow && l.Bias == BiasPullDown) {
			c.findf(join(path, "line"), "BRD-331", "a cut wire of %s reads as all is well", in.Name)
		}
		if in.MCU != "" && in.Meaning != MeaningEmergencyStop {
			c.find(join(path, "mcu"), "BRD-113", "an input of an mcu that is not the emergency stop", "the protocol tells nothing else: wire it to a line")
		}
	}
}
