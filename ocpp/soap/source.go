package soap

import (
	"errors"
	"io"
)

// source is the text of a document. It ends where an element has more attributes than may be, since the decoder keeps all
// of them before anybody can count: half a megabyte of them is sixteen in memory.
type source struct {
	rest   []byte
	began  bool // right behind the '<' of a tag
	tag    bool // within a tag, which comments and declarations are not
	quote  byte // that ends the value of an attribute; 0: outside of one
	values int  // of attributes, since the tag began
}

var errAttributes = errors.New("too many attributes")

// ReadByte is what the decoder reads with.
func (s *source) ReadByte() (byte, error) {
	if s.values > maxAttributes {
		return 0, errAttributes
	}
	if len(s.rest) == 0 {
		return 0, io.EOF
	}
	c := s.rest[0]
	s.rest = s.rest[1:]
	s.count(c)
	return c, nil
}

// Read is there because a decoder begins with a Reader.
func (s *source) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	c, err := s.ReadByte()
	if err != nil {
		return 0, err
	}
	p[0] = c
	return 1, nil
}

// count follows the tags. A '<' begins one wherever it stands: in the value of an attribute it is not allowed.
func (s *source) count(c byte) {
	switch began := s.began; {
	case c == '<':
		*s = source{rest: s.rest, began: true, tag: true}
		return
	case began:
		s.began, s.tag = false, c != '!' && c != '?'
	}
	switch {
	case !s.tag:
	case s.quote != 0:
		if c == s.quote {
			s.quote = 0
			s.values++
		}
	case c == '"' || c == '\'':
		s.quote = c
	case c == '>':
		s.tag = false
	}
}
