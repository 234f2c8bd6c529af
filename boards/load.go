package boards

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// Severity of a finding.
type Severity uint8

// Severities.
const (
	Info Severity = iota
	Warning
	Error
)

var severityNames = [...]string{"info", "warn", "error"}

func (s Severity) String() string { return severityNames[s] }

// Finding is one thing that is wrong with a file, or that its reader should know.
type Finding struct {
	File         string
	Line, Column int // from 1; 0: the file as a whole
	Code         string
	Severity     Severity
	Text, Cure   string
}

func (f Finding) String() string {
	s := fmt.Sprintf("%s:%d:%d %s %s %s", f.File, f.Line, f.Column, f.Code, f.Severity, f.Text)
	if f.Cure != "" {
		s += "; " + f.Cure
	}
	return s
}

// ErrBoard is a board with findings of severity Error.
var ErrBoard = errors.New("board files with errors")

// File is a file and what is in it.
type File struct {
	Name string
	Data []byte
}

// Load reads one board file and the product and site files that tighten it, in any order. It returns all findings, in the
// order of the files. The board is nil and the error not if a finding is an Error (then it wraps ErrBoard) or a file cannot
// be read.
func Load(paths ...string) (*Board, []Finding, error) {
	var sources []File
	for _, p := range paths {
		data, err := readFile(p)
		if err != nil {
			return nil, nil, fmt.Errorf("read board file: %w", err)
		}
		sources = append(sources, File{p, data})
	}
	return Read(sources...)
}

// readFile reads no more of a file than it takes to see that it is too large.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, MaxFile+1))
}

// Read is Load for files that are in memory already.
func Read(sources ...File) (*Board, []Finding, error) {
	tree, files, findings := layered(sources)
	if tree == nil || failed(findings) {
		return nil, findings, verdict(findings)
	}
	b := decode(tree)
	b.Files = files
	c := checker{b: b}
	c.all()
	findings = append(findings, c.findings...)
	order := map[string]int{}
	for i, f := range files {
		order[f] = i
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(order[a.File], order[b.File]), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column), cmp.Compare(a.Code, b.Code))
	})
	if failed(findings) {
		return nil, findings, verdict(findings)
	}
	return b, findings, nil
}

func failed(fs []Finding) bool {
	return slices.ContainsFunc(fs, func(f Finding) bool { return f.Severity == Error })
}

// verdict is the error of a board with findings: the first one that is an error.
func verdict(fs []Finding) error {
	i := slices.IndexFunc(fs, func(f Finding) bool { return f.Severity == Error })
	return fmt.Errorf("%w: %s", ErrBoard, fs[i])
}

// layered reads the files and puts them over each other; files are their names by layer.
func layered(sources []File) (tree *value, files []string, findings []Finding) {
	var of [LayerSite + 1]*value
	for _, s := range sources {
		r := reader{file: s.Name}
		v := r.document(s.Data)
		findings = append(findings, r.findings...)
		if v == nil {
			continue
		}
		if before := of[r.layer]; before != nil {
			f := reader{}
			f.at(v, "BRD-103", fmt.Sprintf("a second %s file, beside %s", r.layer, before.where.File), "name one of each kind")
			findings = append(findings, f.findings...)
			continue
		}
		of[r.layer] = v
	}
	if of[LayerBoard] == nil {
		if !failed(findings) {
			where := Origin{}
			if len(sources) > 0 {
				where = Origin{File: sources[0].Name, Line: 1, Column: 1}
			}
			f := reader{}
			f.at(&value{where: where}, "BRD-103", "no board file", "name one that begins with schema: evse.board/1")
			findings = append(findings, f.findings...)
		}
		return nil, nil, findings
	}
	for _, v := range of {
		if v == nil {
			continue
		}
		files = append(files, v.where.File)
		if tree == nil {
			tree = v
			continue
		}
		var r reader
		r.merge(tree, v)
		findings = append(findings, r.findings...)
	}
	return tree, files, findings
}
