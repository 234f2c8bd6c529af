package keys

// Places are what a key store uses outside the directory of its state: the device of a TPM, and the file with a vault's key;
// "" for none. A socket of a TPM is not among them: to talk to one takes no right on files.
func Places(s string) (device, file string, err error) {
	sp, err := parseSpec(s)
	switch {
	case err != nil || sp.socket:
		return "", "", err
	case sp.kind == kindTPM:
		return sp.path, "", nil
	}
	return "", sp.path, nil
}
