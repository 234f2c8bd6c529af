package term

import "time"

// TokenInfo is what the CSMS says of a token (IdTokenInfoType).
type TokenInfo struct {
	Status      TokenStatus
	Expiry      time.Time // zero: none given
	Group       IdToken
	EVSEs       []EVSEID // empty: valid everywhere
	Message     string   // personal message, for the display
	Priority    int
	HasPriority bool
}

// TokenStatus is OCPP's AuthorizationStatusEnumType.
type TokenStatus string

// Token statuses.
const (
	TokenAccepted           TokenStatus = "Accepted"
	TokenBlocked            TokenStatus = "Blocked"
	TokenConcurrentTx       TokenStatus = "ConcurrentTx"
	TokenExpired            TokenStatus = "Expired"
	TokenInvalid            TokenStatus = "Invalid"
	TokenNoCredit           TokenStatus = "NoCredit"
	TokenNotAllowedTypeEVSE TokenStatus = "NotAllowedTypeEVSE"
	TokenNotAtThisLocation  TokenStatus = "NotAtThisLocation"
	TokenNotAtThisTime      TokenStatus = "NotAtThisTime"
	TokenUnknown            TokenStatus = "Unknown"
)
