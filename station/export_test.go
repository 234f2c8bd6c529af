package station

// CriticalSecurityEvent says whether an event is told after offline, and whether the station knows it at all.
func CriticalSecurityEvent(kind string) (critical, known bool) {
	i := securityKindOf(kind)
	return i >= 0 && securityKinds[i].critical, i >= 0
}
