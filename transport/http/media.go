package http

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"
	"golang.org/x/text/encoding/unicode"
)

// mediaKind is how a body becomes a JSON value.
type mediaKind uint8

const (
	mediaJSON   mediaKind = iota // verbatim
	mediaText                    // a string
	mediaXML                     // a string; its prolog may declare the charset
	mediaBinary                  // a base64 string
)

// media is the type of a body. The zero value is that of a request which declares none: JSON.
type media struct {
	kind     mediaKind
	declared bool
	charset  encoding.Encoding // nil: none declared, or UTF-8
	utf8     bool              // UTF-8 was declared
}

// parseMedia reads a Content-Type. An error tells what to send instead.
func parseMedia(contentType []byte) (m media, err error) {
	if len(contentType) == 0 {
		return m, nil
	}
	m.declared = true
	if string(contentType) == jsonType {
		return m, nil
	}
	name, params, err := mime.ParseMediaType(string(contentType))
	if err != nil {
		return m, errors.New("the Content-Type is malformed: send Content-Type: application/json")
	}
	switch {
	case name == jsonType || strings.HasSuffix(name, "+json"):
	case name == "application/xml" || name == "text/xml" || strings.HasSuffix(name, "+xml"):
		m.kind = mediaXML
	case strings.HasPrefix(name, "text/"):
		m.kind = mediaText
	case name == "application/octet-stream":
		m.kind = mediaBinary
		return m, nil
	default:
		return m, fmt.Errorf("%s is not taken: send Content-Type: application/json (curl: -H 'Content-Type: application/json', or --json), text/plain, application/xml or application/octet-stream", name)
	}
	if charset := params["charset"]; charset != "" {
		if m.charset, m.utf8, err = charsetOf(charset); err != nil {
			return m, err
		}
		if m.kind == mediaJSON && m.charset != nil {
			return m, errors.New("JSON is always UTF-8 (RFC 8259): send it so, without another charset")
		}
	}
	return m, nil
}

// charsetOf finds an encoding by its IANA name; nil is UTF-8.
func charsetOf(name string) (e encoding.Encoding, isUTF8 bool, err error) {
	if strings.EqualFold(name, "utf-8") || strings.EqualFold(name, "us-ascii") {
		return nil, true, nil
	}
	if strings.EqualFold(name, "utf-16") { // RFC 2781: big-endian unless a mark says otherwise
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), false, nil
	}
	if e, err = ianaindex.IANA.Encoding(name); err != nil || e == nil {
		return nil, false, fmt.Errorf("the charset %q is not known: send charset=utf-8", name)
	}
	return e, false, nil
}

var byteOrderMark = []byte("\ufeff")

var errNotText = errors.New("the body is not valid in its charset (UTF-8 if none is declared)")

// text returns a text or XML body in UTF-8 and without byte order mark.
func (m *media) text(body []byte) ([]byte, error) {
	charset := m.charset
	if charset == nil && !m.utf8 && m.kind == mediaXML {
		var err error
		if charset, err = xmlCharset(body); err != nil {
			return nil, err
		}
	}
	if charset != nil {
		converted, err := charset.NewDecoder().Bytes(body)
		if err != nil || bytes.ContainsRune(converted, utf8.RuneError) {
			return nil, errNotText
		}
		return bytes.TrimPrefix(converted, byteOrderMark), nil
	}
	if !utf8.Valid(body) {
		return nil, errNotText
	}
	return bytes.TrimPrefix(body, byteOrderMark), nil
}

// xmlCharset looks for the charset that an XML document declares itself, by a UTF-16 byte
// order mark or in its prolog (XML 1.0 appendix F). nil: UTF-8.
func xmlCharset(body []byte) (encoding.Encoding, error) {
	if bytes.HasPrefix(body, []byte{0xfe, 0xff}) || bytes.HasPrefix(body, []byte{0xff, 0xfe}) {
		return unicode.UTF16(unicode.BigEndian, unicode.UseBOM), nil
	}
	if !bytes.HasPrefix(body, []byte("<?xml")) {
		return nil, nil
	}
	prolog := body[:min(len(body), 256)]
	end := bytes.Index(prolog, []byte("?>"))
	if end < 0 {
		return nil, nil
	}
	_, rest, found := bytes.Cut(prolog[:end], []byte("encoding"))
	if !found {
		return nil, nil
	}
	rest = bytes.TrimLeft(rest, " \t\r\n=")
	if len(rest) == 0 || rest[0] != '"' && rest[0] != '\'' {
		return nil, nil
	}
	name, _, found := bytes.Cut(rest[1:], rest[:1])
	if !found {
		return nil, nil
	}
	e, _, err := charsetOf(string(name))
	return e, err
}
