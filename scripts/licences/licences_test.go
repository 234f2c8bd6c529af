package licences

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/evsed/evsed/station/local/sbom"
)

// allowed are licences under which a manufacturer may ship a closed product, if he passes their texts on. Of "OR" one side is
// enough.
var allowed = map[string]bool{"MIT": true, "BSD-2-Clause": true, "BSD-3-Clause": true, "ISC": true, "Apache-2.0": true}

// module is what go list tells of one.
type module struct {
	Path, Version, Dir string
	Main               bool
	Replace            *module
}

// linked lists the modules behind the product, for the tags that it can be built with.
func linked(t *testing.T, tags string) (all []module) {
	t.Helper()
	cmd := exec.Command("go", "list", "-deps", "-tags", tags, "-json=Module", "./cmd/evsed")
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm", "GOARM=7", "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v: %s", err, stderr.String())
	}
	seen := map[string]bool{}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct{ Module *module }
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if p.Module != nil && !p.Module.Main && !seen[p.Module.Path] {
			seen[p.Module.Path] = true
			all = append(all, *p.Module)
		}
	}
}

// TestLicences reads the text of every linked module: it is one that we may link, and the one that the bill of materials says.
func TestLicences(t *testing.T) {
	for _, tags := range []string{"nethttpomithttp2", "nethttpomithttp2,sftp"} {
		modules := linked(t, tags)
		if len(modules) < 5 {
			t.Errorf("tags %s: %d modules only", tags, len(modules))
		}
		for _, m := range modules {
			if m.Replace != nil {
				t.Errorf("%s is replaced", m.Path)
			}
			if m.Dir == "" {
				t.Errorf("%s is not in the module cache: go mod download", m.Path)
				continue
			}
			text := licenceText(t, m.Dir)
			got := classify(text)
			if got == "" {
				t.Errorf("%s: nobody knows this licence: %.200s", m.Path, text)
				continue
			}
			if want, _ := sbom.Licence(m.Path); got != want {
				t.Errorf("%s: its text is %s, the bill of materials says %q", m.Path, got, want)
			}
			ok := false
			for _, side := range strings.Split(got, " OR ") {
				all := true
				for _, part := range strings.Split(side, " AND ") {
					all = all && allowed[part]
				}
				ok = ok || all
			}
			if !ok {
				t.Errorf("%s: %s is not allowed", m.Path, got)
			}
		}
	}
}

// licenceText is the file with the licence of a module.
func licenceText(t *testing.T, dir string) string {
	t.Helper()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		name := strings.ToLower(f.Name())
		if strings.HasPrefix(name, "licen") || strings.HasPrefix(name, "copying") {
			text, err := os.ReadFile(filepath.Join(dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
	t.Errorf("%s: no file with a licence", dir)
	return ""
}

var (
	declared = regexp.MustCompile(`(?i)^\W*SPDX-License-Identifier: ([A-Za-z0-9.\- ]+?)\s*(\*/)?\n`)
	blank    = regexp.MustCompile(`[\s*#/]+`)
)

// classify names a licence by the sentences that make it what it is; "" is one that is not among ours.
func classify(text string) string {
	if m := declared.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	s := strings.ToLower(blank.ReplaceAllString(text, " "))
	has := func(part string) bool { return strings.Contains(s, part) }
	switch {
	case has("gnu "), has("mozilla public"), has("commons clause"), has("non-commercial"), has("business source"):
		return ""
	case has("apache license version 2.0, january 2004"):
		return "Apache-2.0"
	case has("permission is hereby granted, free of charge, to any person obtaining a copy"):
		if has("licensed under the apache license, version 2.0") { // some files under one, some under the other
			return "MIT AND Apache-2.0"
		}
		return "MIT"
	case has("permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted"),
		has("permission to use, copy, modify, and or distribute this software for any purpose with or without fee is hereby granted"):
		return "ISC"
	case has("redistribution and use in source and binary forms, with or without modification, are permitted"):
		if has("neither the name") {
			return "BSD-3-Clause"
		}
		return "BSD-2-Clause"
	}
	return ""
}

// TestClassify: other licences are seen for what they are.
func TestClassify(t *testing.T) {
	for text, want := range map[string]string{
		"GNU GENERAL PUBLIC LICENSE Version 3":                          "",
		"Mozilla Public License Version 2.0":                            "",
		"All rights reserved.":                                          "",
		"/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */\n": "BSD-3-Clause OR GPL-2.0-only",
		"\"Commons Clause\" License. Permission is hereby granted, free of charge, to any person obtaining a copy": "",
		"Permission is hereby granted, free of charge,\n to any person obtaining a copy":                           "MIT",
	} {
		if got := classify(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
