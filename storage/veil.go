package storage

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/evsed/evsed/station"
)

// Sealer keeps the secrets of records from lying open on flash. bound is what a sealed secret belongs to: elsewhere it does not
// open.
type Sealer interface {
	Seal(secret, bound []byte) (sealed []byte, err error)
	Open(sealed, bound []byte) (secret []byte, err error)
}

// A sealed value: veilMark, length of the open part + 1 as uvarint (0: there is none), open part, sealed secret. No value of
// these buckets begins like that by itself: they are text.
var veilMark = []byte{0, 'S', 1}

// veiled reports whether a value holds a sealed secret.
func veiled(value []byte) bool { return bytes.HasPrefix(value, veilMark) }

// bind names what the secret of a record belongs to.
func bind(rest station.Record) []byte {
	b := append([]byte{byte(rest.Bucket), byte(len(rest.Key)), byte(len(rest.Key) >> 8)}, rest.Key...)
	return append(b, rest.Value...)
}

// veil seals what is secret in a batch that is handed over. A secret that cannot be sealed, because the key store is not
// there, is kept open: a station that forgets its password is worse off. It is told, and sealed at the next start.
func (s *Store) veil(batch []station.Record) []station.Record {
	if s.opts.Sealer == nil {
		return batch
	}
	copied := false
	for i, r := range batch {
		rest, secret := station.SplitSecret(r)
		if secret == nil {
			continue
		}
		sealed, err := s.opts.Sealer.Seal(secret, bind(rest))
		if err != nil {
			s.tellVeil("%v/%s is kept unsealed until the key store is there: %v", r.Bucket, r.Key, err)
			continue
		}
		if !copied {
			batch, copied = append([]station.Record(nil), batch...), true
		}
		value := append([]byte{}, veilMark...)
		if rest.Value == nil {
			value = append(value, 0)
		} else {
			value = binary.AppendUvarint(value, uint64(len(rest.Value))+1)
			value = append(value, rest.Value...)
		}
		batch[i].Value = append(value, sealed...)
	}
	return batch
}

// unveil opens the secret of a stored record. One that does not open is left out, and where nothing is left the value is nil:
// the record is there, and says nothing.
func (s *Store) unveil(r station.Record) station.Record {
	rest := r
	open, sealed, ok := cutOpen(r.Value[len(veilMark):])
	rest.Value = open
	if !ok {
		s.tellVeil("the secret of %v/%s is damaged: set it again", r.Bucket, r.Key)
		return rest
	}
	if s.opts.Sealer == nil {
		s.tellVeil("the secret of %v/%s is sealed, and there is no key store", r.Bucket, r.Key)
		return rest
	}
	secret, err := s.opts.Sealer.Open(sealed, bind(rest))
	if err != nil {
		s.tellVeil("the secret of %v/%s does not open: bring its key store back, or set it again: %v", r.Bucket, r.Key, err)
		return rest
	}
	return station.JoinSecret(rest, secret)
}

// cutOpen cuts off the open part, nil for none.
func cutOpen(b []byte) (open, sealed []byte, ok bool) {
	if len(b) > 0 && b[0] == 0 {
		return nil, b[1:], true
	}
	return cutLength(b, 1, MaxValue)
}

// tellVeil notes what became of a secret, once each. mu is held.
func (s *Store) tellVeil(format string, args ...any) {
	f := Finding{FoundSealed, "secrets", fmt.Sprintf(format, args...)}
	for _, g := range s.found {
		if f == g {
			return
		}
	}
	if len(s.found) < maxFindings {
		s.found = append(s.found, f)
	}
}

// reveil seals what an older program, or one without its key store, kept open.
func (s *Store) reveil(open []station.Record) error {
	if len(open) == 0 || s.opts.Sealer == nil {
		return nil
	}
	if _, err := s.opts.Sealer.Seal(nil, nil); err != nil {
		return nil // they stay as they are
	}
	return s.Commit(open)
}
