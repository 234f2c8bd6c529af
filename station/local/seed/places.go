package seed

// Places are the files and folders that Load reads; a factory reset reads them again.
func (s Security) Places() (paths []string) {
	for _, p := range append(s.Roots[:], s.Station.Certificates, s.Station.Keys, s.V2G.Certificates, s.V2G.Keys) {
		if p != "" {
			paths = append(paths, p)
		}
	}
	return paths
}
