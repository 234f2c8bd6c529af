package station

import (
	"encoding/json"

	"github.com/evsed/evsed/station/model"
	"github.com/evsed/evsed/station/update"
)

// HoldsSecrets says whether records of a bucket may hold a secret, which SplitSecret finds.
func HoldsSecrets(b Bucket) bool {
	return b == BucketVariable || b == BucketNetwork || b == BucketUpdate
}

// SplitSecret takes out of a record what may lie open nowhere: a password of the device model or of a network profile, or where
// firmware comes from, which may hold a password. rest is the record without it, and worth something alone: a profile still
// leads to its CSMS, an update still ends. A nil secret says that there is none.
func SplitSecret(r Record) (rest Record, secret []byte) {
	switch {
	case len(r.Value) == 0:
	case r.Bucket == BucketVariable && model.Secret(r.Key):
		return Record{Bucket: r.Bucket, Key: r.Key}, r.Value
	case r.Bucket == BucketNetwork:
		password, put := profileIn(r)
		if put == nil || *password == "" {
			break
		}
		secret = []byte(*password)
		*password = ""
		return put(), secret
	case r.Bucket == BucketUpdate:
		var k update.Kept
		if json.Unmarshal(r.Value, &k) != nil || k.Update.URL == "" {
			break
		}
		secret = []byte(k.Update.URL)
		k.Update.URL = ""
		return Record{Bucket: r.Bucket, Key: r.Key, Value: appendJSON(nil, k)}, secret
	}
	return r, nil
}

// JoinSecret is the inverse of SplitSecret.
func JoinSecret(rest Record, secret []byte) Record {
	if rest.Bucket == BucketNetwork {
		if password, put := profileIn(rest); put != nil {
			*password = string(secret)
			return put()
		}
		return rest
	}
	if rest.Bucket == BucketUpdate {
		var k update.Kept
		if json.Unmarshal(rest.Value, &k) != nil {
			return rest
		}
		k.Update.URL = string(secret)
		rest.Value = appendJSON(nil, k)
		return rest
	}
	rest.Value = secret
	return rest
}

// profileIn finds the password in a record with a network profile; put makes the record anew. It is nil for what is no profile.
func profileIn(r Record) (password *string, put func() Record) {
	var w workedNetwork
	whole := any(&w)
	if r.Key != workedKey {
		whole = &w.Profile
	}
	if json.Unmarshal(r.Value, whole) != nil {
		return nil, nil
	}
	return &w.Profile.Password, func() Record {
		r.Value = appendJSON(nil, whole)
		return r
	}
}
