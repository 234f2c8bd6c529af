package model

// Secret reports whether what is kept under the key of a Change may lie open nowhere: the value of a password, or of another
// variable that cannot be read back.
func Secret(key string) bool {
	c, v, ok := parseKey(key)
	if !ok {
		return false
	}
	for i := range table {
		if table[i].component != c.Name {
			continue
		}
		for j := range table[i].rows {
			if r := &table[i].rows[j]; r.name == v.Name && (r.mut == WriteOnly || r.kind == TypePassword) {
				return true
			}
		}
	}
	return false
}
