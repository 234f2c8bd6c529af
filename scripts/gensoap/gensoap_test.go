package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCommittedTables: the WSDLs give what is committed.
func TestCommittedTables(t *testing.T) {
	schemas := os.Getenv("SCHEMAS")
	if schemas == "" {
		t.Skip("SCHEMAS does not name the folder of the OCPP schemas")
	}
	out := t.TempDir()
	if err := run(schemas, out); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(out, outFile))
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join("..", "..", "ocpp", "soap", outFile))
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("the generator writes something else; make gen SCHEMAS=dir")
	}
}

const small = `<d:definitions xmlns:d="http://schemas.xmlsoap.org/wsdl/" xmlns:w="http://www.w3.org/2006/05/addressing/wsdl"
 xmlns:p="http://schemas.xmlsoap.org/wsdl/soap12/" xmlns:t="urn://Ocpp/Cs/2010/08/" targetNamespace="urn://Ocpp/Cs/2010/08/"><d:types>
<s:schema xmlns:s="http://www.w3.org/2001/XMLSchema" targetNamespace="urn://Ocpp/Cs/2010/08/" elementFormDefault="qualified">
<s:simpleType name="Name"><s:restriction base="s:string"/></s:simpleType>
<s:complexType name="AskRequest"><s:sequence><s:element name="who" type="t:Name" maxOccurs="MAX"/></s:sequence></s:complexType>
<s:complexType name="AskResponse"/>
<s:element name="askRequest" type="t:AskRequest"/><s:element name="askResponse" type="t:AskResponse"/>
</s:schema></d:types>
<d:message name="In"><d:part name="p" element="t:askRequest"/></d:message>
<d:message name="Out"><d:part name="p" element="t:askResponse"/></d:message>
<d:portType name="S"><d:operation name="Ask"><d:input message="t:In" w:Action="/ACTION"/><d:output message="t:Out"/></d:operation></d:portType>
<d:binding name="B"><d:operation name="Ask"><p:operation soapAction="/Ask"/></d:operation></d:binding></d:definitions>`

func TestTables(t *testing.T) {
	for name, c := range map[string]struct{ max, action, want string }{
		"list":         {"unbounded", "Ask", `{"who", text, required | many, 0}`},
		"one":          {"1", "Ask", `{"who", text, required, 0}`},
		"three":        {"3", "Ask", "maxOccurs 3"},
		"other action": {"1", "Beg", "has the action /Beg"},
	} {
		path := filepath.Join(t.TempDir(), "x.wsdl")
		text := strings.ReplaceAll(strings.ReplaceAll(small, "MAX", c.max), "ACTION", c.action)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		w, err := load(path)
		if err != nil {
			t.Fatal(err)
		}
		tables := newTables()
		err = tables.add("1.2", "CentralSystem", w)
		got, _ := tables.source()
		if err != nil {
			got = []byte(err.Error())
		}
		if !strings.Contains(string(got), c.want) {
			t.Errorf("%s: no %q in\n%s", name, c.want, got)
		}
	}
}
