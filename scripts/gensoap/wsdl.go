package main

import (
	"encoding/xml"
	"fmt"
	"os"
)

// wsdl is what of a WSDL document the tables are made of.
type wsdl struct {
	Target string `xml:"targetNamespace,attr"`
	Schema struct {
		Target   string        `xml:"targetNamespace,attr"`
		Form     string        `xml:"elementFormDefault,attr"`
		Elements []element     `xml:"element"`
		Complex  []complexType `xml:"complexType"`
		Simple   []simpleType  `xml:"simpleType"`
	} `xml:"types>schema"`
	Messages []struct {
		Name  string `xml:"name,attr"`
		Parts []struct {
			Element string `xml:"element,attr"`
		} `xml:"part"`
	} `xml:"message"`
	Operations []operation `xml:"portType>operation"`
	Bound      []struct {
		Name string `xml:"name,attr"`
		SOAP struct {
			Action string `xml:"soapAction,attr"`
		} `xml:"http://schemas.xmlsoap.org/wsdl/soap12/ operation"`
	} `xml:"binding>operation"`
}

type operation struct {
	Name   string  `xml:"name,attr"`
	Input  message `xml:"input"`
	Output message `xml:"output"`
}

type message struct {
	Message string `xml:"message,attr"`
	// Action is the one of WS-Addressing, where the WSDL names it.
	Action string `xml:"Action,attr"`
}

type element struct {
	Name    string       `xml:"name,attr"`
	Type    string       `xml:"type,attr"`
	Min     string       `xml:"minOccurs,attr"`
	Max     string       `xml:"maxOccurs,attr"`
	Complex *complexType `xml:"complexType"`
}

type complexType struct {
	Name     string     `xml:"name,attr"`
	Sequence []element  `xml:"sequence>element"`
	Simple   *extension `xml:"simpleContent>extension"`
	Choice   []element  `xml:"choice>element"`
}

type extension struct {
	Base       string `xml:"base,attr"`
	Attributes []struct {
		Name string `xml:"name,attr"`
		Use  string `xml:"use,attr"`
		Type string `xml:"type,attr"`
	} `xml:"attribute"`
}

type simpleType struct {
	Name string `xml:"name,attr"`
	Base struct {
		Base string `xml:"base,attr"`
	} `xml:"restriction"`
}

func load(path string) (*wsdl, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	w := &wsdl{}
	if err := xml.Unmarshal(text, w); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if w.Target != w.Schema.Target || w.Schema.Form != "qualified" || len(w.Operations) == 0 {
		return nil, fmt.Errorf("%s: not a WSDL of the shape that the tables know", path)
	}
	return w, nil
}

// action returns the SOAP action of an operation.
func (w *wsdl) action(op string) string {
	for _, b := range w.Bound {
		if b.Name == op {
			return b.SOAP.Action
		}
	}
	return ""
}

// element returns the global element that a message carries.
func (w *wsdl) element(message string) (element, error) {
	for _, m := range w.Messages {
		if m.Name != local(message) || len(m.Parts) != 1 {
			continue
		}
		for _, e := range w.Schema.Elements {
			if e.Name == local(m.Parts[0].Element) {
				return e, nil
			}
		}
	}
	return element{}, fmt.Errorf("message %s has no element", message)
}

func (w *wsdl) complex(name string) (*complexType, bool) {
	for i := range w.Schema.Complex {
		if w.Schema.Complex[i].Name == local(name) {
			return &w.Schema.Complex[i], true
		}
	}
	return nil, false
}

// base returns the type of XML Schema under a simple type.
func (w *wsdl) base(name string) string {
	for _, s := range w.Schema.Simple {
		if s.Name == local(name) {
			return w.base(s.Base.Base)
		}
	}
	return local(name)
}
