// Package seclog keeps the security log (OCPP A04): entries that nobody changes, drops or inserts unnoticed, in a fixed number of
// bytes.
//
// The log is text, one JSON object a line. Each entry ends with the SHA-256 of the hash before it and of its own text up to
// there, so that anybody can verify it:
//
//	{"n":57,"time":"2026-01-05T10:00:00.000Z","sure":true,"boot":12,"up":"3h2m1s","type":"SettingSystemTime","info":"…","hash":"…"}
//
// It lies in a few files of fixed size, the segments, which are used in turn. A segment begins with one sector that says which
// one it is, the number of the entry before its first and the hash of that: the anchor with which the chain can be verified
// although what was before is gone. When the newest is full, the oldest is dropped as a whole: a new first sector makes all
// that stands behind it old, which its lower numbers tell, and is written over.
//
// An entry costs one write and one sync, and the next one is written only when it is there for good. So text that cannot be
// read is the torn end of the log if nothing follows it, and is written over; if an entry follows it, it was damaged or changed
// after the fact, which is told as a break. That the end itself is gone only the owner can know, who numbers the entries.
package seclog
