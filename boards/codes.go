package boards

import "slices"

// Rule explains a code of a finding.
type Rule struct {
	Code     string
	Severity Severity
	Title    string
	Cause    string
	Cure     string
}

// Rules returns all codes, in their order.
func Rules() []Rule { return slices.Clone(rules) }

// RuleOf returns the rule of a code.
func RuleOf(code string) (Rule, bool) {
	i := slices.IndexFunc(rules, func(r Rule) bool { return r.Code == code })
	if i < 0 {
		return Rule{}, false
	}
	return rules[i], true
}

// severityOf returns the severity of a code, which a finding cannot have without a rule.
func severityOf(code string) Severity {
	r, ok := RuleOf(code)
	if !ok {
		panic("finding with the unknown code " + code)
	}
	return r.Severity
}

// retired are codes that had a meaning once. None is used again.
var retired = []string{"BRD-324"}

// rules are the codes. A code keeps its meaning for ever; a new rule gets a new one.
var rules = []Rule{
	// The file.
	{"BRD-100", Error, "not a readable file", "The file is empty, too large, not UTF-8 or not YAML.", "Mind indents (spaces, no tabs), colons and quotes in the line that is named and the one above."},
	{"BRD-101", Error, "a part of YAML that board files do not have", "Anchors, aliases, tags, merge keys, several documents, and values of several lines hide what a file says.", "Write the value out, in one line; one file is one document."},
	{"BRD-102", Error, "given twice", "A map has the same key twice, or a list the same word.", "Keep one."},
	{"BRD-103", Error, "wrong set of files", "A file does not say what it is, or there is not exactly one board file and at most one product and one site file.", "Begin each file with schema: evse.board/1, evse.product/1 or evse.site/1, and name one of each kind at most."},
	{"BRD-104", Error, "unknown key", "Nothing in the program honours such a key here.", "Take the key that is proposed, or leave it out."},
	{"BRD-105", Error, "missing key", "The station cannot be driven without it.", "Add it."},
	{"BRD-106", Error, "another kind of value", "A map, a list, a number or true or false is wanted, and something else stands there.", "Write what is wanted."},
	{"BRD-107", Error, "value in another form", "A quantity has no unit or a wrong one, or a name is not written as the kernel has it.", "Write it like the example: a number, one space and the unit, or gpio:NAME."},
	{"BRD-108", Error, "value out of range", "The value is outside what hardware and standards allow.", "Write one within the bounds that are named."},
	{"BRD-109", Error, "unknown word", "The key takes one of a few words.", "Take one of them."},
	{"BRD-110", Error, "a word that readers take for something else", "YAML 1.1 reads yes, no, on and off as true or false, YAML 1.2 as words; 8E1 is a number to both: two tools would see two boards.", "Put it in quotes, or write true or false where that is meant."},
	{"BRD-111", Error, "key of another layer", "A product or site file may only say what makes the board stricter.", "Write it into the board file."},
	{"BRD-112", Error, "loosens what a layer above says", "Board, product and site can only tighten: lower a limit, switch an EVSE off, take a stricter policy.", "Write a stricter value or leave the key out; a true change of the board belongs into the board file."},
	{"BRD-113", Error, "key that nothing honours", "The key is known, from drafts of this format or from others, and this build does nothing by it.", "Leave it out."},
	{"BRD-114", Error, "too many or too few entries", "A list has bounds.", "Write as many as are wanted."},
	{"BRD-115", Error, "ids", "Ids are given twice, have a gap, or name what the board does not have.", "Number EVSEs from 1 without a gap; in a product or site file name the ids of the board."},

	// What refers to what.
	{"BRD-201", Error, "unknown reference", "A device names a bus, a safety controller or a power module that the file does not have.", "Correct the name, or add what it names."},
	{"BRD-202", Error, "wrong kind of bus", "The device does not speak over a bus of this kind.", "Name a bus of a kind that is wanted."},
	{"BRD-203", Error, "line used twice", "Two functions would drive or read one GPIO line.", "Give each its own line."},
	{"BRD-204", Error, "channel used twice", "Two functions share a channel of a PWM or a converter.", "Give each its own channel."},
	{"BRD-205", Error, "port used twice", "Two buses or controllers are at one serial device or interface.", "Make it one bus, or correct the port."},
	{"BRD-206", Error, "address used twice", "Two devices answer at one address of a bus.", "Give each its own address, and set it at the device."},
	{"BRD-207", Error, "unknown model", "This build has no driver or register table for it.", "Take a model that is listed, or add a register table for a meter."},
	{"BRD-208", Error, "serial settings that no device has", "The bus runs at a baud rate that meters, readers and controllers do not have.", "Take one that all devices of the bus have."},
	{"BRD-209", Warning, "not used", "The bus, controller or power module has no device.", "Leave it out, or refer to it."},
	{"BRD-210", Error, "a part is missing or too much", "Of several ways to say something none or more than one is given.", "Give exactly what is wanted."},
	{"BRD-211", Warning, "not as the factory delivers it", "The device is delivered with other serial settings than its bus has.", "Set the device to the bus, or the bus to the device."},

	// The pilot.
	{"BRD-231", Error, "the vehicle's leaving of state C is seen too late", "Sampling and debouncing must see it within 50 ms.", "Sample more often: 5 ms is usual."},
	{"BRD-232", Error, "the contactor opens too late", "From the vehicle's leaving of state C to the open contactor IEC 61851-1 gives 100 ms: detection and the contactor's own time must fit.", "Sample more often, take a faster contactor or leave both to a safety controller (mcu)."},
	{"BRD-233", Error, "nobody can measure the pilot", "At 5 % duty the upper level lasts 50 us, at 10 % 100 us: Linux cannot sample that.", "Add a peak detector (peak_reset), or leave the pilot to a safety controller (pilot: mcu)."},
	{"BRD-234", Error, "the vehicle's diode is not seen", "Without the lower level a short-circuited diode, or no vehicle at all, looks like one that charges.", "Measure the lower level (pilot.low, or a comparator below -10.5 V)."},
	{"BRD-235", Error, "gain and zero do not fit the pilot", "Both levels lie between +15 V and -15 V; with a gain of zero every count means the same.", "Measure two voltages and work out gain and zero."},
	{"BRD-236", Error, "a comparator that tells nothing", "Comparators sit between the levels of the states, within 1 V of 10.5 V, 7.5 V, 4.5 V and 1.5 V, and one for the lower level at -10.5 V.", "Give each of them one comparator, and remove the others."},

	// Switches.
	{"BRD-240", Error, "contactor without feedback", "A welded contact is not seen without a mirror contact.", "Wire the mirror contact to a line and name it (sense)."},
	{"BRD-242", Error, "wiring and lines do not match", "Each wiring mode switches its own set of lines.", "single and mutual: main alone switches all its lines; serial and simultaneous: main and extra share them."},
	{"BRD-243", Error, "more lines than arrive", "An EVSE cannot have more lines than the supply or its contactors.", "Correct phases of supply, evses and contactors."},
	{"BRD-244", Error, "AC and DC are mixed", "A DC connector has plus and minus and a source, an AC one main (and extra).", "Remove what belongs to the other kind."},
	{"BRD-245", Error, "the neutral is not switched", "A connector's contactor opens all conductors but the protective one.", "Add N to the lines that main switches."},

	// Plug and cable.
	{"BRD-250", Error, "socket without proximity circuit", "The cable's rating is not known without it, and a thin cable would burn.", "Add proximity."},
	{"BRD-251", Error, "proximity circuit at a fixed cable", "A fixed cable is not coded at the station's end.", "Remove proximity; write the cable's rating into connector.max_current."},
	{"BRD-252", Error, "proximity divider that cannot tell the resistors apart", "With this pull-up 100 Ohm and 1500 Ohm lie too near to each other or outside the rail.", "Take 330 Ohm to 4.7 kOhm at 3.3 V to 12 V."},
	{"BRD-255", Error, "socket without lock", "A plug that can be drawn under load makes an arc.", "Add lock."},
	{"BRD-256", Error, "lock without feedback", "A lock that did not move would be believed.", "Wire its contact to a line and name it (sense)."},
	{"BRD-257", Error, "lock at a fixed cable", "There is nothing to lock at the station's end.", "Remove lock."},

	// Temperature.
	{"BRD-260", Error, "thermometer without derating", "Measuring alone protects nothing.", "Add derate, with 0 A at the end."},
	{"BRD-261", Error, "derating that does not end with 0 A", "Above the last step the current has to be off.", "Add a last step of 0 A."},
	{"BRD-262", Error, "derating that rises", "A hotter place would be given more current.", "Lower the current from step to step."},
	{"BRD-263", Warning, "a socket or cable without thermometer", "A worn contact heats up, and nothing sees it.", "Add a thermometer with the id socket or cable."},
	{"BRD-264", Error, "temperature out of range", "The contacts of connectors must not pass 90 C, and the sensor does not measure below -40 C or above 150 C.", "Put the last step to 90 C or below for socket, cable and pins."},
	{"BRD-265", Error, "derating at a controller's thermometer", "A safety controller has two thermometers for a connector, socket and cable; of another one nobody hears.", "Call it socket or cable if it is one of them, or wire it to the board."},

	// Owners.
	{"BRD-300", Error, "nobody owns a protective function", "Every function that the board needs has to be somebody's.", "Name its owner: hw, mcu or agent."},
	{"BRD-301", Error, "forbidden owner", "Linux is no safety function: it must not be the only one between a fault and harm.", "Give it to hw or mcu; the agent may stand beside them."},
	{"BRD-302", Error, "owner mcu without a controller", "The function is said to be a safety controller's, and an EVSE has none.", "Add it to mcus and name it in the EVSE (mcu), or correct the owner."},
	{"BRD-303", Error, "agent without watchdog", "When Linux hangs nobody carries out what the agent owns.", "Add watchdog (its device) and safety.watchdog: hw, or give the functions away."},
	{"BRD-304", Error, "owner without its device", "The agent cannot carry out a function that it has no line or meter for.", "Add the device, or give the function to who has it."},
	{"BRD-305", Error, "AC connector without fault-current protection", "Each connector has to be protected by an RCD, and against DC fault currents.", "Name the owner of safety.rcd and add rcd if it has lines to this board."},
	{"BRD-306", Warning, "fault-current device that nobody reads", "It opens by itself, and driver and CSMS are never told why.", "Wire its contact to a line and add rcd."},
	{"BRD-307", Error, "function that the board cannot have", "Over-voltage and insulation of an output are matters of DC.", "Remove it from safety."},

	// Currents.
	{"BRD-310", Error, "more than the connector's standard allows", "The type of connector has a greatest current.", "Lower connector.max_current."},
	{"BRD-311", Warning, "more than the supply has", "The connector could carry more than its supply; the lower one counts.", "Lower connector.max_current, or correct the supply."},
	{"BRD-312", Warning, "the EVSEs together pass the supply", "The station shares its supply among the vehicles that charge: each may have less than its EVSE could give.", "That is well if it is meant; else raise the supply or lower the EVSEs."},
	{"BRD-313", Error, "below what a pilot can offer", "A pilot offers 6 A or nothing.", "Take 6 A or more, or 0 A."},

	// Meters.
	{"BRD-320", Error, "legal meter without key", "Signed values that nobody can verify are of no use.", "Add public_key: the meter's own in hex, or from-meter."},
	{"BRD-321", Error, "meter with fewer lines than the EVSE", "A line that is not measured is given away.", "Take a meter with as many lines."},
	{"BRD-322", Warning, "EVSE without meter", "Nothing is billed, and a vehicle that takes too much is not seen.", "Add meter."},
	{"BRD-323", Error, "meter that signs nothing", "The model has no signed values.", "Remove legal, or take a meter that signs (docs/meters.md)."},
	// BRD-324 is retired: it said that signed values went nowhere.

	// Inputs and the rest.
	{"BRD-330", Error, "limit that does not fit the meaning", "curtail needs a limit; nothing else has one.", "Add or remove limit."},
	{"BRD-331", Error, "emergency stop that can fail unseen", "A stop button opens a normally closed circuit, so that a cut wire stops too: the line is active while the wire is open.", "Write gpio:!NAME for a wire that is high while all is well, and pull it towards active."},
	{"BRD-340", Error, "connector at a safety controller by half", "Pilot and contactors are one function: one side cannot watch the other.", "Give both to the mcu, or neither."},

	// What this build does not do.
	{"BRD-401", Warning, "a DC EVSE that does not charge", "This build does not charge DC: the EVSE is checked and shown, its devices can be opened and tested (evsed board try), and evsed run charges nothing at it.", "Switch it off in a product or site file (off: true), or wait for a build that has it."},
	{"BRD-402", Info, "hardware for ISO 15118 that is not used", "This build does not speak ISO 15118; an AC EVSE charges by IEC 61851 alone.", "Nothing has to be done."},
	{"BRD-403", Error, "the source does not fit the connector", "The power modules together cannot give what the connector promises.", "Lower the connector's values, or add modules."},
	{"BRD-404", Error, "DC EVSE without a part that it needs", "It cannot be made safe without source, insulation monitor and both contactors.", "Add what is named."},
}
