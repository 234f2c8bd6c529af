package station

import (
	"fmt"
	"strconv"

	"github.com/evsed/evsed/station/transaction"
)

// Restore replays one stored record before Start. An error says that the record cannot be used; the station is whole
// without it, and the caller tells about it.
func (s *Station) Restore(r Record) error {
	switch r.Bucket {
	case BucketMeta:
		return s.restoreMeta(r)
	case BucketVariable:
		return s.model.Restore(r.Key, string(r.Value))
	case BucketEVSE:
		return s.restoreAvailability(r.Key, r.Value)
	case BucketTransaction:
		tx, err := transaction.Unmarshal(r.Value)
		if err != nil {
			return err
		}
		s.restored = append(s.restored, tx)
	case BucketAuthCache:
		return s.auth.Cache.Restore(r.Key, r.Value)
	case BucketLocalList:
		return s.restoreLocalList(r.Value)
	case BucketNetwork:
		return s.restoreProfile(r.Key, r.Value)
	case BucketReservation:
		return s.restoreReservation(r)
	case BucketProfile:
		return s.restoreChargingProfile(r)
	case BucketCertificate:
		return s.restoreCertificate(r)
	case BucketUpdate:
		return s.restoreUpdate(r.Value)
	case BucketOutbox, BucketDeadLetter, BucketThinned, BucketDialect:
		// read by the link and by storage, not by the core
	default:
		return fmt.Errorf("record of %v: unknown bucket", r.Bucket)
	}
	return nil
}

func (s *Station) restoreMeta(r Record) error {
	if ok, err := s.restoreSecurity(r.Key, r.Value); ok {
		return err
	}
	switch r.Key {
	case metaBootReason:
		s.boot.reason = BootReason(r.Value)
	case metaBoots:
		n, err := strconv.Atoi(string(r.Value))
		if err != nil {
			return fmt.Errorf("count of boots: %w", err)
		}
		s.boot.boots = n
	case metaEvents:
		n, err := strconv.Atoi(string(r.Value))
		if err != nil || n < 0 || n > maxEvents {
			return fmt.Errorf("count of events: %q", r.Value)
		}
		s.events = n
	case metaTrusted:
		return s.restoreTrusted(r.Value)
	case metaProblems:
		s.restoreProblems(string(r.Value))
	case metaResets:
		n, err := strconv.Atoi(string(r.Value))
		if err != nil || n < 0 || n > resetBurst {
			return fmt.Errorf("count of resets: %q", r.Value)
		}
		s.resetting.spent = n
	}
	return nil
}

// Boot tells, before Start, why the station starts and how often it has started with this one.
func (s *Station) Boot() (reason BootReason, boots int) {
	reason = s.boot.reason
	if reason == "" {
		reason = s.cfg.Boot
	}
	if reason == "" {
		reason = BootPowerUp
	}
	return reason, s.boot.boots + 1
}
