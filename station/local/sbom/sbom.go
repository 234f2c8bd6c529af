// Package sbom writes what a build of evsed is made of, as a CycloneDX document: every module that is linked with its version,
// the checksum under which Go's checksum database knows it, and its licence. It comes from the binary itself, so that it tells
// of the very bytes that run; the same binary tells the same bytes.
package sbom

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
)

// Format and version of the document.
const (
	format      = "CycloneDX"
	specVersion = "1.5"
)

type document struct {
	Format       string       `json:"bomFormat"`
	SpecVersion  string       `json:"specVersion"`
	Version      int          `json:"version"`
	Metadata     metadata     `json:"metadata"`
	Components   []component  `json:"components"`
	Dependencies []dependency `json:"dependencies"`
}

type metadata struct {
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl"`
	Scope      string     `json:"scope,omitempty"`
	Hashes     []hash     `json:"hashes,omitempty"`
	Licences   []choice   `json:"licenses,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type hash struct {
	Algorithm string `json:"alg"`
	Content   string `json:"content"`
}

// choice is one licence by its name, or an expression of several.
type choice struct {
	Licence    *licence `json:"license,omitempty"`
	Expression string   `json:"expression,omitempty"`
}

type licence struct {
	ID string `json:"id"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type dependency struct {
	Ref       string   `json:"ref"`
	DependsOn []string `json:"dependsOn,omitempty"`
}

// Write writes the document of a build; release is the version of the program. A module whose licence is not known, or that was
// built from a folder instead of a published version, is an error: who answers for it?
func Write(w io.Writer, b *debug.BuildInfo, release string) error {
	app := module("application", b.Main.Path, release)
	app.Licences = licences("Apache-2.0")
	for _, s := range b.Settings {
		switch s.Key {
		case "GOOS", "GOARCH", "GOARM", "GOAMD64", "GOARM64", "GORISCV64", "CGO_ENABLED", "-tags", "vcs.revision", "vcs.modified":
			app.Properties = append(app.Properties, property{"go:build:" + s.Key, s.Value})
		}
	}
	d := document{Format: format, SpecVersion: specVersion, Version: 1, Metadata: metadata{app}}
	standard := module("library", "std", strings.TrimPrefix(b.GoVersion, "go"))
	standard.Licences = licences("BSD-3-Clause")
	d.Components = append(d.Components, standard)
	for _, m := range b.Deps {
		c, err := linked(m)
		if err != nil {
			return err
		}
		d.Components = append(d.Components, c)
	}
	on := dependency{Ref: app.Ref}
	for _, c := range d.Components {
		on.DependsOn = append(on.DependsOn, c.Ref)
	}
	slices.Sort(on.DependsOn)
	d.Dependencies = []dependency{on}
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	out.SetIndent("", "  ")
	return out.Encode(d)
}

// linked is a module as it was linked.
func linked(m *debug.Module) (component, error) {
	if m.Replace != nil {
		return component{}, fmt.Errorf("module %s is replaced by %s: want published modules alone", m.Path, m.Replace.Path)
	}
	spdx, ok := Licence(m.Path)
	if !ok {
		return component{}, fmt.Errorf("module %s: its licence is not in the table", m.Path)
	}
	c := module("library", m.Path, m.Version)
	c.Scope, c.Licences = "required", licences(spdx)
	sum, ok := strings.CutPrefix(m.Sum, "h1:")
	raw, err := base64.StdEncoding.DecodeString(sum)
	if !ok || err != nil {
		return component{}, fmt.Errorf("module %s: checksum %q: want one of the kind h1", m.Path, m.Sum)
	}
	c.Hashes = []hash{{"SHA-256", hex.EncodeToString(raw)}} // of the list of the hashes of its files
	return c, nil
}

func module(kind, path, version string) component {
	purl := "pkg:golang/" + path + "@" + version
	return component{Type: kind, Ref: purl, Name: path, Version: version, PURL: purl}
}

func licences(spdx string) []choice {
	if strings.Contains(spdx, " ") {
		return []choice{{Expression: spdx}}
	}
	return []choice{{Licence: &licence{spdx}}}
}
