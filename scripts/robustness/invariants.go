package main

// years names the simulator of years, whose checker sees every step of whole stations.
const years = "; at each step of the simulated years (scripts/years)"

// Invariants are what always holds.
var Invariants = []Row{
	{ID: "I1", What: "no energy without a live authorization", Asks: "and none after its withdrawal" + years, Tests: []string{"station.TestStories TestChaos TestWithdrawalInAnyOrder", "station/local/virtual.TestTour", "scripts/years.TestShortStories TestTheCheckerSeesIt TestSeedsThatFoundSomething"}},
	{ID: "I2", What: "no contactor closed but in C and D, and none behind a latched fault", Asks: "open within 100 ms" + years, Tests: []string{"station/iec61851.TestEveryStateWithEveryFault TestRandomWires", "station/guard.TestRandomWorlds TestWorldFaultsOpenInTime"}},
	{ID: "I3", What: "no more current than the lowest limit", Asks: "offered, and measured; charging profiles too" + years, Tests: []string{"station/iec61851.TestOfferIsTheLeastOfPermitCableAndBoard TestOverCurrent TestRandomWires"}},
	{ID: "I4", What: "one start, one end, every number once, repeats equal", Asks: "at the CSMS, behind every fault" + years, Tests: []string{"station.TestStories TestOutboxRoundTrip", "station/local/virtual.TestTour TestBadServersWhileCharging TestBlackHoleWhileCharging", "storage.TestTwentySessionsCutAtEveryWrite TestRandomCuts TestEveryNumberIsInOneSet", "scripts/years.TestRepetitionSaysTheSame"}},
	{ID: "I5", What: "registers never fall; the bill is the meter's", Asks: "to one watt-hour" + years, Tests: []string{"station.TestStories", "station/local/virtual.TestTour TestClockJumpsWhileCharging", "hal/halsim.TestKillAtAnyInstant"}},
	{ID: "I6", What: "one call at a time; one answer to each request", Asks: "and no change by a refused one" + years, Tests: []string{"ocpp/link.TestOneCallAtATime TestRequestIsAnsweredOnce FuzzEngine TestEveryActionGetsOneOutcome", "station.TestChaos", "station/model.FuzzSet"}},
	{ID: "I7", What: "the status that is told is the true one", Asks: "once the CSMS listens" + years, Tests: []string{"station.TestStories TestScenarios", "station/run.TestOlderStatusNeverFollowsTheNewer", "ocpp/link.TestLatestKeepsTheNewestOfASlot"}},
	{ID: "I8", What: "availability, reservations and charging profiles are legal and survive a restart", Asks: years[2:], Tests: []string{"station.TestScenarios TestStories TestPowerCutAtEveryStep", "storage.TestTwentySessionsCutAtEveryWrite"}},
	{ID: "I9", What: "the security profile never falls, and nothing shows credentials", Asks: years[2:], Tests: []string{"ocpp/link.TestLastGoodProfileThatIsLessSecureIsNotTried TestErrorsDoNotShowCredentials", "station/model.TestChangeKeepsSecretsOutOfLogs"}},
	{ID: "I10", What: "no older firmware, no unsigned byte", Later: "firmware"},
	{ID: "I11", What: "memory, goroutines, descriptors and queues are bounded", Asks: "and flat over a year" + years, Tests: []string{"cmd/evsed.TestHostileCSMS TestHostileCSMS16 TestHostileSOAP TestHeapLimit", "ocpp/link.TestQueuesAreBounded TestMailboxIsBounded TestReconnectsLeaveNothing", "storage.TestAsideCopiesAreBounded TestThinnedTransactionsAreBounded", "station/local/sim.TestLogIsBoundedInBytes", "scripts/years.TestGrowthIsSeen"}},
	{ID: "I12", What: "all faults healed: connected, queue empty, status right", Asks: years[2:], Tests: []string{"station.TestStories", "station/local/virtual.TestTour TestBadServersWhileCharging"}},
	{ID: "I13", What: "same seed, same trace", Asks: "byte for byte" + years, Tests: []string{"station.TestSameStorySameTrace", "scripts/years.TestSameSeedSameTrace"}},
	{ID: "I14", What: "EVSEs do not influence each other", Asks: years[2:], Tests: []string{"station.TestScenarios", "station/guard.TestOnlyOneConnectorOfAnEVSE TestDeadDevicesAtStart"}},
}

// Rigs are the tests that measure.
var Rigs = []Rig{
	{"years", "Whole stations, cars, drivers, faults and a CSMS of one seed, in simulated years; every invariant at every step, and all faults healed at the end.", "go run ./scripts/years -years 100"},
	{"reaction", "From the sample of the pilot that decides to the command to the contactor, in a guard process beside an agent that is busy, and within such an agent.", "make bench"},
	{"storage", "Whole stations on flash that is cut, damaged, full, slow and failing.", "EVSED_SOAK=1 go test -timeout 24h ./storage"},
	{"kills", "The process killed at random moments while cars charge.", "EVSED_SOAK=1 go test -timeout 24h -run Kill ./cmd/evsed"},
	{"hostile", "A CSMS that attacks while a car charges: memory of the process, and whether it charges on.", "EVSED_SOAK=1 go test -timeout 24h -run 'TestHostileCSMS$' ./cmd/evsed"},
	{"hostile16", "The same in 1.6; what is below its messages is attacked in 2.x.", "EVSED_HOSTILE=1 go test -run 'TestHostileCSMS16$' ./cmd/evsed"},
	{"hostilesoap", "The same over SOAP 1.6: attacks on the station's server and in answers to its calls.", "EVSED_HOSTILE=1 go test -run TestHostileSOAP ./cmd/evsed"},
	{"reconnects", "Connections made and lost again and again: goroutines and descriptors.", "EVSED_SOAK=1 go test -run TestReconnectsLeaveNothing ./ocpp/link"},
	{"durable", "A durable event against a bare append with a sync, and against an update of the database.", "make bench"},
	{"sampled", "A sampled value in a window of 60 s: what it costs on the device.", "make bench"},
	{"start", "A start with 100,000 queued events.", "make bench"},
	{"replay", "A long queue told to the CSMS after an outage.", "make bench"},
}
