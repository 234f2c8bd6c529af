package main

// Faults are what goes wrong around a station and within it.
var Faults = []Row{
	{ID: "F1", What: "half-open connection, silent peer", Asks: "notices within two ping intervals and closes; the session goes on offline, every event is kept",
		Tests: []string{
			"ocpp/link.TestBlackHoleAtAnyByteIsNoticed TestHalfOpenConnectionIsNoticed TestFullWindowIsNoticed TestReaderStuckInAMessageIsNoticed TestServerThatNeverAnswersTheHandshakeIsNoticed TestConnectionTornAtAnyByte TestWithoutPings TestDialerAsksTheKernelToNoticeDeadPeers",
			"station/local/virtual.TestBlackHoleWhileCharging"}},
	{ID: "F2", What: "WebSocket taken, calls never answered; answers late, twice, out of order", Asks: "silence paces the next try and gives no event up; the connection is dialled anew; one start and one end arrive",
		Tests: []string{
			"ocpp/link.TestMuteCSMSIsNoticed TestSilenceNeverGivesUpAKeptReport TestSilencesFollowMessageAttempts TestRefusalsNeverHammer TestAnswersInAnyOrder TestSlowWire",
			"station/local/virtual.TestBadServersWhileCharging TestAnswersInAnyOrderWhileCharging TestLostAnswersAreAskedForAgain",
			"station.TestScenarios"}},
	{ID: "F3", What: "closed with 1006 or 1008 again and again, 401, 403, 404, 503, redirects, wrong subprotocol", Asks: "waits at least the minimum, doubled and with chance; follows no redirect; tells a refused password once an hour; tries the other profiles and the last good one",
		Tests: []string{
			"ocpp/link.TestHandshakeRefusals TestRefusalsNeverHammer TestConnectionThatOpensAndDiesIsAFailedAttempt TestBackOffBeginsAnewAfterAnAnswer TestAuthRefusedIsToldOnceAnHour TestProfilesAreTriedInOrder TestLinkFallsBackToTheLastGoodProfile",
			"station/local/virtual.TestBadServersWhileCharging TestDisplacedStation TestPasswordRefusedIsTold"}},
	{ID: "F4", What: "the CSMS is back after an outage, and 10,000 stations with it", Asks: "come back spread: at most twice the even rate in any stretch of time",
		Tests: []string{"ocpp/link.TestReturnIsSpread TestChanceIsSeeded TestBackOff"}},
	{ID: "F5", What: "captive portal, TLS interceptor, wrong name, expired certificate", Asks: "refuses; never shows the password to a server that nobody configured",
		Tests: []string{"ocpp/link.TestHandshakeRefusals TestErrorsDoNotShowCredentials TestConnectionURL TestTLS TestChainsAreJudged TestInterceptionIsRefused TestDistrustIsToldOnceAnHour",
			"station/local/virtual.TestFallsBackFromACSMSThatIsNotTrusted"}},
	{ID: "F6", What: "name resolution fails or hangs, no route, address changes, network cut and back", Asks: "resolves anew with each attempt, tries every address, goes through the profiles in their order",
		Tests: []string{"ocpp/link.TestDeadDNSAndNoRouteAreTriedAgain TestNameIsResolvedForEachAttempt TestNetworkCut TestProfilesAreTriedInOrder"}},
	{ID: "F7", What: "no real-time clock, or one at 1970, 2038, 2106", Asks: "boots and charges; is set right by the CSMS and says so; durations do not notice; records say that the clock was not set",
		Tests: []string{"station/local/virtual.TestClockAtAnyDate TestClockIsWrongAtTheStart", "station.TestScenarios TestTheTimeOfTrustIsKept",
			"ocpp/link.TestBeforeTheClockIsSet TestAWrongTimeShutsNobodyOut TestNotYetValidPassesWhileTheClockIsNotSet TestTimeOfAClockThatIsNotSet"}},
	{ID: "F8", What: "the clock jumps by hours or years, summer time, leap seconds, a CSMS with a wrong time", Asks: "durations are monotonic, no interval of energy is negative, each correction is told, dates that cannot be are not believed",
		Tests: []string{
			"station/local/virtual.TestClockJumpsWhileCharging TestClockAtAnyDate TestWrongTimeOfCSMS TestBootIntoAWrongTime", "station.TestTimeAdjustmentReportingThreshold",
			"station/sampling.TestAligned TestAlignedTellsEveryInstantOfADayOnce", "ocpp/rpc.TestParseTime TestParseTimeRefuses FuzzTime"}},
	{ID: "F9", What: "disk full, failing, read-only, out of inodes", Asks: "begins no session that it could not keep; the running one ends from the reserve; says so; is back by itself",
		Tests: []string{
			"station/local/virtual.TestDiskFailsWhileIdle TestDiskFailsWhileCharging",
			"storage.TestFullDevice TestFullDeviceForDays TestFailingDevice TestStorms TestEveryCallGoesWrong TestFailedCallsRecover TestDeviceDownForAWhile TestDatabaseFull",
			"storage/journal.TestFailedCallsLoseNothing TestFullUntilReleased", "cmd/evsed.TestFullDisk"}},
	{ID: "F10", What: "power cut at any write, torn or reordered sectors, lost syncs, rotten bits", Asks: "comes back with everything that was promised; damage is found, put aside and told",
		Tests: []string{
			"storage.TestTwentySessionsCutAtEveryWrite TestRandomCuts TestPowerCutAtEveryJournalWrite TestPowerCutInCheckpoint TestDamagedImages TestListPowerCut TestPowerCutWhilePutAside TestPowerCutsWhileAPasswordChanges",
			"storage/journal.TestPowerCutAtEveryCall TestLyingDeviceIsFound TestDamageIsNeverBelieved", "storage/seclog.TestPowerCuts TestFailingCalls TestDamageIsNoticed TestMissingSegments FuzzFiles", "storage/keys.TestPowerCutsInTheVault TestTheNthCallFailsInTheVault TestADamagedEntryIsPutAside", "station.TestPowerCutAtEveryStep"}},
	{ID: "F11", What: "database corrupt, older or newer than the program", Asks: "rebuilds from what is whole, migrates forward, refuses what is newer, never begins anew by itself",
		Tests: []string{
			"storage.TestDamagedDatabase TestDamagedJournal TestHopelessFiles TestMissingFiles TestAsideCopiesAreBounded TestNewerSchemaIsRefused TestMigration TestDamageWhileRunning TestRebuildOnFullDevice TestListDamage TestTheKeyOfSecretsIsGone TestOpenSecretsOfAnOlderProgram",
			"station/local/virtual.TestDamageWhileRunning TestTheVaultsKeyIsLost TestShortenedSecurityLogIsTold TestSecurityLogWaitsForItsDevice", "cmd/evsed.TestDamagedState TestResetState TestFirstStartCutShort"}},
	{ID: "F12", What: "slow disk: 5 s for a sync, or it hangs", Asks: "takes power away at once, answers the CSMS; a start waits and says so; what waits is bounded",
		Tests: []string{
			"storage.TestSlowDevice", "station/local/virtual.TestDiskHangs",
			"station/run.TestSlowJournalIsTold TestSlowJournalCutsAtOnce TestIllJournalDoesNotMakeDumb TestDiskThatHangsForGoodEndsTheProcess TestCutWaitsForNothing"}},
	{ID: "F13", What: "meter silent, running backward, or lying", Asks: "opens by policy after 5 s without a reading; tells no register that fell; calls the meter faulty",
		Tests: []string{
			"station/iec61851.TestSilentMeter", "station/guard.TestMeterFailureOpensByPolicy TestMeterAgesInTheSocket", "cmd/evsed.TestGuardJudgesReadings",
			"station.TestScenarios TestStories", "hal/halsim.TestMeterFailure TestNothingIsReportedUnkept TestMeterRefusesToSign", "station/local/virtual.TestFastClockChargesWithoutFaults TestMeterThatRefusesToSign TestMeterThatRefusesTheEnd",
			"hal/meter.TestFaultsOfAMeterAreToldOnce TestFaultsOfTheLineAreToldOnce TestFallenRegisterIsNoticed TestAnotherMeterIsRefused TestNoNumberIsNoReading TestPulledAdapter TestReadKeepsTheDeadline",
			"hal/meter/dcbm.TestFaultsAreToldOnce TestOddAnswers", "hal/modbus.TestFaultsOfAUnit TestNoisyLine TestLateAnswerIsNotTaken TestSilentUnitIsAskedLess FuzzRTU FuzzTCP",
			"hal/serial.TestPulledPlugIsToldOnceAndOpensAgain",
			"boards/bench.TestMeterSilentWhileCharging TestMeterWrongCRCWhileCharging TestMeterHalfFrameWhileCharging TestMeterLineUnpluggedWhileCharging TestMeterSilentWhereItMayBe"},
		Later: "a meter that stands still while a car charges"},
	{ID: "F14", What: "contactor welded, not closing, or its feedback contradicts", Asks: "shows state F, keeps every connector behind it open, stays so until service",
		Tests: []string{
			"station/iec61851.TestWeldShowsStateFUntilService TestContactorThatDoesNotClose",
			"station/guard.TestWeldKeepsTheOtherConnectorOpen TestJammedContactorIsTold TestServiceRightAfterTheRepair",
			"station/local/virtual.TestWeldOutlivesARestart",
			"hal/mcu.TestContradictoryFeedback TestLatchedWeldWaitsForAcknowledgement TestOpenedByItself",
			"hal/parts.TestContactorContradictions TestContactorSenses TestMutualPairNeverBoth TestSerialPairWaitsForItsFirst TestContactorFails TestContactorIsSlow",
			"boards/bench.TestFeedbackStuckAtOpenWhileCharging TestFeedbacksContradictWhileCharging", "boards/dryrun.TestShippedBoards TestMistakesShow", "boards/bringup.TestFindsMistakes TestInterlocks",
			"hal/precharge.TestFailures TestRandomLife"}},
	{ID: "F15", What: "pilot short, diode, E, F, chatter, no earth, residual current, heat, emergency stop, lid", Asks: "opens within 100 ms with the right code, and tries again by rule",
		Tests: []string{
			"station/iec61851.TestEveryStateWithEveryFault TestPilotShortToEarth TestChatteringPilotOpens TestTemperatureHysteresis TestRetriesEndAndBeginAnewWithTheNextVehicle TestLeavingStateCOpensAtOnce TestRandomWires",
			"station/guard.TestWorldFaultsOpenInTime TestFaultsThatDoNotStop TestPilotFaultSaysWhy TestTemperaturesAreTold TestDeviceErrorsOpen TestDeadDevicesAtStart TestRandomWorlds",
			"hal/halsim.TestEveryFaultShows", "hal/simlines.TestFaultsOverLines",
			"hal/mcu.TestControllerOpensWhenVehicleLeavesC TestEmergencyStop TestContradictoryState TestDisturbedLine",
			"hal/parts.TestFrozenConverter TestQuietConverterWithAReset TestHalfThatNobodyDrives TestConverterFails TestComparedPilot TestSelfTestFails TestTripsAreSeen TestInputs TestThermometer TestCurves TestEveryPartThatFailsOpens",
			"boards/bench.TestPilotConverterFrozenWhileCharging TestPilotConverterUnpluggedWhileCharging TestStuckInputLineWhileCharging TestFaultCurrentLineCutWhileCharging TestControllerSilentWhileCharging TestControllerUnpluggedWhileCharging TestControllerWrongCRCWhileCharging TestControllerRefused TestComparatorContradictsWhileCharging TestDeratingByAControllersThermometer",
			"boards/dryrun.TestShippedBoards TestMistakesShow TestComparators",
			"hal/thermo.TestSensors TestComesBack", "hal/precharge.TestEmergencyOpensInOneStep"}},
	{ID: "F16", What: "lock jammed, cable pulled under load, cable coding changes", Asks: "opens first, reports then; tells what became of an unlocking",
		Tests: []string{
			"station/iec61851.TestLockFails TestLockBeforePowerAndUnlockAfter TestCableRatingFallsWithResistance", "station/guard.TestLockThatFails TestUnplugUnderLoad TestCarThatIgnoresPWMOff",
			"hal/parts.TestLockPulse TestLockFails TestProximity", "boards/bench.TestProximityConverterUnpluggedWhileCharging", "boards/dryrun.TestShippedBoards TestMistakesShow",
			"station.TestScenarios"}},
	{ID: "F17", What: "agent killed, stopped, starved, hanging or panicking", Asks: "the guard opens within its patience, or holds for as long as policy says; the next start goes on with the session or ends it",
		Tests: []string{
			"cmd/evsed.TestKillWhileCharging TestKillAtFirstStart TestAgentDiesWhileCharging TestGuardOutlivesItsAgent TestGuardOutlastsALoopThatHangs TestTwoUnits TestTwoUnitsHold",
			"station/guard.TestSilentLoopDropsThePermits TestSilentLoopHoldsByPolicy TestOpensWithEverythingHung TestPermitsOfALostStation TestStationThatWasStopped",
			"hal/mcu.TestAgentSilent TestNewAgent TestFallback",
			"station/local/virtual.TestLoopHangs TestExitOpensFirst", "cmd/evsed.TestHeart TestInitSystem", "boards/bench.TestIdleBoardIsNotReset", "storage.TestKill", "hal/halsim.TestKillAtAnyInstant", "hal/simlines.TestWorldStandsStill"}},
	{ID: "F18", What: "guard killed, stopped or hanging", Asks: "the board's watchdog opens; the agent says so and starts the next guard",
		Tests: []string{
			"cmd/evsed.TestGuardDiesWhileCharging TestGuardHangsWhileCharging TestWatchdogOpensForAKilledGuard TestWatchdogOpensForAStoppedGuard TestGuardAfterAKilledGuard TestTwoGuards TestSecondAgentOrGuard TestSafeStateComesFirst",
			"station/guard.TestWatchdogNeedsGuardAndLoop TestPanicOpensEverything TestSilentGuard TestRemoteWithoutGuard TestNewAssertsTheSafeState TestTableOpensContactorsFirst", "hal/watchdog.TestDog",
			"station/guard/realtime.TestKeeperGoesOnTrying TestKeeperForgivesAGuardThatHasLived TestChildThatDoesNotEnd", "hal/simlines.TestWatchdogOverLines", "hal/halsim.TestWatchdogReleasesTheWires",
			"hal/mcu.TestAgentSilent TestResetInSession"}},
	{ID: "F19", What: "brown-out, power that flickers for 0.1 to 10 s, power and network gone together", Asks: "goes on with the transaction or ends it for the loss of power; bills all of it",
		Tests: []string{
			"station/local/virtual.TestPowerFlickersWhileCharging TestPowerCutResumes TestPowerAndNetworkCutTogether TestPowerPlans TestPowerBackBeforeTheBufferIsEmpty TestTour",
			"station.TestPowerCutAtEveryStep TestScenarios"},
		Later: "random delay before power returns to the cars (schedules)"},
	{ID: "F20", What: "update that fails, bad image, power cut in an update", Asks: "the old or the whole new one starts, checked; what does not prove itself gives way; never more than three tries",
		Tests: []string{"storage/slot.TestPowerCutAtEveryStep TestFaultAtEveryStep TestInterruptedUpdates TestTrialFails TestRefusedImages TestDiskFull TestHuge TestTryThatCannotBeCounted", "storage/slot/image.TestEveryFlipIsRefused", "cmd/evsed.TestLaunch TestTrialGate",
			"station.TestPowerCutAtEveryStepOfAnUpdate TestScenarios", "station/update.TestEveryStateAndEvent TestActivations TestStarted FuzzRestore", "station/local/virtual.TestUpdateIntoSlots TestUpdatesThatSlotsRefuse TestOlderUpdateIsRefused TestFetchGoesOn"}},
	{ID: "F21", What: "hostile CSMS: floods, giants, resets without end, settings that would silence the station, its own address wrong", Asks: "lives, charges on, stays within its memory, refuses what it cannot live with, and finds back to the last CSMS that answered",
		Tests: []string{
			"cmd/evsed.TestHostileCSMS TestHostileCSMS16 TestHostileSOAP TestHeapLimit TestLimitFollowsTheHeap", "ocpp/soap.TestHostileXML TestAttributesAreCountedWhileTheyAreRead",
			"ocpp/link.TestEveryRequestIsRationedOrHarmless TestRequestsMayOverlapUpToABound TestLongMessagesTakeLonger TestAFloodIsReadAtItsPace TestPingsAreAnsweredAtTheirPace TestUnreadAnswersStopTheReading TestABinaryMessageEndsTheConnection TestReconnectsLeaveNothing TestFloodOfBadFramesIsToldOnce TestReplayedRequests TestRequestsThatAreKeptAreRationed TestListsAreRationedByTheirLength TestQueuesAreBounded TestOversizedFrameDoesNotEndTheSession TestLastGoodProfileIsTriedWhenAllHaveFailed TestLastGoodProfileThatIsLessSecureIsNotTried TestSOAPRefusals TestSOAPSmuggling TestSOAPConnectionsAreBounded TestSOAPLongRequestsTakeTurns TestSOAPAnswers FuzzEngine",
			"station.TestResetStorm TestRepeatedEventsAreCounted TestAlikeEventsAreCounted TestUnloggedEventsAreBounded", "station/local/virtual.TestConfiguredToDeath TestWrongAddressFromCSMS", "station/model.TestSet FuzzSet"}},
	{ID: "F22", What: "hostile car, card, console user or neighbour on the network", Asks: "no crash, no privilege, nothing listens that nobody configured",
		Tests: []string{
			"station/iec61851.TestRandomWires", "station/guard.TestRandomWorlds", "station.TestChaos",
			"station/local/sim.TestForeignCalls TestLongBodyIsRefused TestCallsAreBounded TestListenRefusesOtherAddresses FuzzCall", "cmd/evsed.TestNothingListens TestUnprivilegedSession", "hal/fortress.TestConfinedAgent TestConfinedGuard TestFilters"},
		Later: "ISO 15118, console and its login"},
}
