package cert16_test

import (
	"fmt"
	"testing"
	"time"
)

// list makes a SendLocalList: a tag that begins with '-' is taken out.
func list(version int, kind string, tags ...string) obj {
	entries := []obj{}
	for _, tag := range tags {
		if tag[0] == '-' {
			entries = append(entries, obj{"idTag": tag[1:]})
			continue
		}
		entries = append(entries, obj{"idTag": tag, "idTagInfo": obj{"status": "Accepted"}})
	}
	return obj{"listVersion": version, "updateType": kind, "localAuthorizationList": entries}
}

func (b *bench) wantVersion(version int) {
	b.Helper()
	if got := b.Call("GetLocalListVersion", nil)["listVersion"]; fmt.Sprint(got) != fmt.Sprint(version) {
		b.Errorf("list version %v, want %d", got, version)
	}
}

// knows reports whether a tag may charge while the station is offline.
func (b *bench) knows(c int, tag string, want bool) {
	b.Helper()
	b.Swipe(c, tag)
	b.After(5 * time.Second)
	if got := b.look(c).Relay; got != want {
		b.Fatalf("%s charges offline: %v, want %v", tag, got, want)
	}
}

// covers: TC_042_1_CS TC_043_1_CS
func TestLocalListDisabled(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthListEnabled", "false")
		b.wantVersion(-1)
		b.Answers("NotSupported", "SendLocalList", list(1, "Full", "TAG1"))
		b.wantVersion(-1)
	})
}

// covers: TC_042_2_CS
func TestLocalListEmpty(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthListEnabled", "true")
		b.wantVersion(0)
	})
}

// covers: TC_043_2_CS
func TestLocalListVersionMismatch(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthListEnabled", "true")
		b.Answers("Accepted", "SendLocalList", list(7, "Full", "TAG1"))
		b.Answers("VersionMismatch", "SendLocalList", list(7, "Differential", "TAG2"))
		b.Answers("VersionMismatch", "SendLocalList", list(5, "Differential", "TAG2"))
		b.wantVersion(7)
	})
}

// covers: TC_043_3_CS
func TestLocalListFailed(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthListEnabled", "true", "LocalAuthorizeOffline", "true")
		b.Answers("Accepted", "SendLocalList", list(1, "Full", "TAG1"))
		b.Answers("Failed", "SendLocalList", list(2, "Full", "TAG2", "TAG3", "TAG2")) // one tag twice
		b.wantVersion(1)
		b.network(false)
		b.Plug(2)
		b.knows(2, "TAG2", false)
		b.knows(2, "TAG1", true)
		b.Skip()
	})
}

// covers: TC_043_4_CS
func TestLocalListFull(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthListEnabled", "true", "LocalAuthorizeOffline", "true", "LocalPreAuthorize", "true")
		b.Answers("Accepted", "SendLocalList", list(1, "Full", "TAG1", "TAG2"))
		b.wantVersion(1)
		b.Plug(2)
		b.status(2, "Preparing")
		b.Swipe(2, "TAG2")
		tx := b.charges(2, "TAG2")
		b.None(time.Second, "Authorize", nil)
		b.Swipe(2, "TAG2")
		b.stops(2, tx, "Local")
		b.status(2, "Finishing")
		b.leaves(2)
		b.Answers("Accepted", "SendLocalList", list(9, "Full", "TAG1")) // the other is gone
		b.wantVersion(9)
		b.configure("AuthorizationCacheEnabled", "false")
		b.network(false)
		b.Plug(2)
		b.knows(2, "TAG2", false)
		b.knows(2, "TAG1", true)
		b.Skip()
	})
}

// covers: TC_043_5_CS
func TestLocalListDifferential(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("LocalAuthListEnabled", "true", "LocalAuthorizeOffline", "true")
		b.Answers("Accepted", "SendLocalList", list(1, "Full", "TAG1", "TAG2"))
		b.Answers("Accepted", "SendLocalList", list(2, "Differential", "TAG3", "-TAG2"))
		b.wantVersion(2)
		b.network(false)
		b.Plug(1)
		b.Plug(2)
		b.knows(1, "TAG2", false)
		b.knows(1, "TAG1", true)
		b.knows(2, "TAG3", true)
		b.Skip()
	})
}

// covers: TC_061_CS
func TestClearCache(t *testing.T) {
	ready(t, func(b *bench) {
		b.configure("AuthorizationCacheEnabled", "true", "LocalPreAuthorize", "true")
		tx := b.charging(2, "TAG1")
		b.Swipe(2, "TAG1")
		b.stops(2, tx, "Local")
		b.status(2, "Finishing")
		b.leaves(2)
		b.Answers("Accepted", "ClearCache", nil)
		b.charging(2, "TAG1") // asks again
	})
}

// covers: TC_068_CS
func TestStopBySameTag(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(2, "TAG1")
		b.Swipe(2, "TAG2")
		b.None(5*time.Second, "StopTransaction", nil)
		b.Want("Authorize", obj{"idTag": "TAG2"})
		b.Swipe(2, "TAG1")
		if got := b.stops(2, tx, "Local")["idTag"]; got != "TAG1" {
			b.Errorf("stopped by %v", got)
		}
		b.None(time.Second, "Authorize", nil)
		b.status(2, "Finishing")
	})
}

// covers: TC_069_CS
func TestStopBySameParent(t *testing.T) {
	ready(t, func(b *bench) {
		tx := b.charging(2, "CHILD1")
		b.Swipe(2, "CHILD2")
		b.Want("Authorize", obj{"idTag": "CHILD2"})
		if got := b.stops(2, tx, "Local")["idTag"]; got != "CHILD2" {
			b.Errorf("stopped by %v", got)
		}
		b.status(2, "Finishing")
	})
}
