// Package keys keeps private keys and small secrets where they are worth something to nobody else: in a TPM 2.0, or in a
// vault of encrypted files on boards without one. Both stand behind one interface; what it hands out is a crypto.Signer.
//
//	Open("tpm:/dev/tpmrm0?pcr=7", dir)   keys are made in the TPM and leave it only wrapped by its storage key
//	Open("file?key=/run/credentials/k", dir)   AES-256-GCM under a key that lies elsewhere
//	Open("file", dir)   the same under a key that lies beside the files: Protection says what that is worth
//
// An entry is a file of its own in dir/keys (shelf.go), whole or not at all after a power cut. Its frame (frame.go) says
// who can open it, so that an entry of another TPM or another vault key (ErrForeign) is told from a damaged one
// (ErrDamaged, put aside). A safe that is not there, TPM or key file, is ErrUnavailable at each use and is looked for again
// at the next one: the station goes on without what needs a key, and says so.
//
// Every call of a TPM is bounded in time. Nothing here waits for the network, and no error carries a secret.
package keys
