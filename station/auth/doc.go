// Package auth decides who may start and who may stop: the local authorization list, the authorization cache and
// the policies of OCPP 2.x blocks C and D. It is pure; the hall tells it the wall time, whether the CSMS can be
// asked, and the configuration, and carries out what it says.
//
//	token ──► Decide ──┬─ Accept   start now; the CSMS checks the token with the TransactionEvent (C12.FR.03)
//	                   ├─ Ask      send Authorize; the answer goes through Learn and Answered;
//	                   │           no answer: Decide again with online false
//	                   └─ Refuse   with a status and a stable code
//
// A token that is presented while a transaction runs goes to MayStop first, and an answer to StopAnswered.
package auth

import (
	"time"

	"github.com/evsed/evsed/station/term"
)

// Config holds the values of the device model that authorization obeys. The hall copies them before each call.
type Config struct {
	Enabled                    bool   // AuthCtrlr.Enabled: false lets everyone charge
	AuthorizeRemoteStart       bool   // AuthCtrlr.AuthorizeRemoteStart
	LocalPreAuthorize          bool   // AuthCtrlr.LocalPreAuthorize: online, a local hit is enough to start
	LocalAuthorizeOffline      bool   // AuthCtrlr.LocalAuthorizeOffline: offline, a local hit is enough to start
	OfflineTxForUnknownId      bool   // AuthCtrlr.OfflineTxForUnknownIdEnabled
	DisableRemoteAuthorization bool   // AuthCtrlr.DisableRemoteAuthorization: never ask
	MasterPassGroup            string // AuthCtrlr.MasterPassGroupId; "" is none

	CacheEnabled              bool          // AuthCacheCtrlr.Enabled
	CacheLifeTime             time.Duration // AuthCacheCtrlr.LifeTime; 0 or less: entries do not age
	CachePolicy               Policy        // AuthCacheCtrlr.Policy
	CacheDisablePostAuthorize bool          // AuthCacheCtrlr.DisablePostAuthorize

	ListEnabled              bool // LocalAuthListCtrlr.Enabled
	ListDisablePostAuthorize bool // LocalAuthListCtrlr.DisablePostAuthorize
	ListSupportsExpiry       bool // LocalAuthListCtrlr.SupportsExpiryDateTime
}

// Lookup finds a token in the local list with the given ID. It is read-only; the list itself lives elsewhere.
type Lookup func(list uint64, token term.IdToken) (term.TokenInfo, bool)

// List names the local authorization list in force. The zero List is none.
type List struct {
	ID      uint64 // chosen by whoever stores the list
	Version int    // as the CSMS gave it; 0: none was ever sent
	Entries int
}

// Authorizer is the block: the cache, the name of the list in force and the way to look into it.
type Authorizer struct {
	List   List
	Cache  Cache
	lookup Lookup
}

// New returns an Authorizer with an empty cache and no list. lookup may be nil where there never is a list.
func New(lookup Lookup) *Authorizer { return &Authorizer{lookup: lookup} }
