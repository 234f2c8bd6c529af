package dryrun

import (
	"github.com/evsed/evsed/boards"
)

// suite is everything that is played at each EVSE, in the order of the report.
func suite(b *boards.Board) []scenario {
	var all []scenario
	for _, part := range [][]scenario{pilotSuite, cableSuite, supplySuite, inputSuite(b)} {
		all = append(all, part...)
	}
	return all
}

// notFitted says why a scenario was left out.
const notFitted = "not fitted"

// Run plays the suite at each EVSE of a board whose drivers are given its software's view: the same board, unless somebody
// wants to know what a mistake in a file does. Told hears of each step when it has been played.
func Run(hardware, software *boards.Board, told func(Step)) *Report {
	r := &Report{Board: hardware.Identity.Vendor + " " + hardware.Identity.Model}
	add := func(s Step) {
		r.Steps = append(r.Steps, s)
		if told != nil {
			told(s)
		}
	}
	slow := make(chan []Step, 1)
	go func() { slow <- runSlow(hardware, software) }() // read below
	for i := range hardware.EVSEs {
		e := &hardware.EVSEs[i]
		if code, why := e.Serves(); code != "" {
			add(Step{EVSE: e.ID, Name: "charging", Result: Left, Note: code + " " + why})
			continue
		}
		for _, sc := range suite(hardware) {
			add(one(hardware, software, e, sc))
		}
	}
	for _, s := range <-slow {
		add(s)
	}
	return r
}

// one plays a scenario.
func one(hardware, software *boards.Board, e *boards.EVSE, sc scenario) Step {
	s := Step{EVSE: e.ID, Name: sc.name}
	if sc.needs != nil && !sc.needs(e) {
		s.Result, s.Note = Left, notFitted
		return s
	}
	p, err := newPlay(hardware, software, e.ID)
	if err == nil {
		err = sc.play(p)
		s.Took, s.Limit, s.Note = p.took, p.limit, p.note
	}
	if err != nil {
		s.Result, s.Note = Failed, err.Error()
	}
	return s
}
