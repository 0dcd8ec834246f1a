package value

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/gopcua/opcua/ua"
)

// MaxArray is how many elements an array may have: what the codec reads at most.
const MaxArray = 65_535

// Type is a data type that a variable or an argument may have. The zero value is none.
type Type struct {
	Builtin ua.TypeID
	Array   bool // of one dimension
}

// names are the names of the types in the specification, by id, which is also the numeric
// node id of the type in namespace 0 (OPC 10000-6, 5.1.2).
var names = [...]string{
	ua.TypeIDBoolean:       "Boolean",
	ua.TypeIDSByte:         "SByte",
	ua.TypeIDByte:          "Byte",
	ua.TypeIDInt16:         "Int16",
	ua.TypeIDUint16:        "UInt16",
	ua.TypeIDInt32:         "Int32",
	ua.TypeIDUint32:        "UInt32",
	ua.TypeIDInt64:         "Int64",
	ua.TypeIDUint64:        "UInt64",
	ua.TypeIDFloat:         "Float",
	ua.TypeIDDouble:        "Double",
	ua.TypeIDString:        "String",
	ua.TypeIDDateTime:      "DateTime",
	ua.TypeIDGUID:          "Guid",
	ua.TypeIDByteString:    "ByteString",
	ua.TypeIDQualifiedName: "QualifiedName",
	ua.TypeIDLocalizedText: "LocalizedText",
}

// unsupported are types of namespace 0 that a file may well name but not have, by node id, with
// the type to use instead, if one carries the same values.
var unsupported = map[int]struct{ name, instead string }{
	16:  {"XmlElement", "String"},
	17:  {"NodeId", "String"},
	18:  {"ExpandedNodeId", "String"},
	19:  {"StatusCode", "UInt32"},
	22:  {"Structure", ""},
	23:  {"DataValue", ""},
	24:  {"BaseDataType", ""},
	25:  {"DiagnosticInfo", ""},
	26:  {"Number", "Double"},
	27:  {"Integer", "Int64"},
	28:  {"UInteger", "UInt64"},
	29:  {"Enumeration", "Int32"},
	30:  {"Image", "ByteString"},
	50:  {"Decimal", "Double"},
	256: {"IdType", "Int32"},
	257: {"NodeClass", "Int32"},
	288: {"IntegerId", "UInt32"},
	289: {"Counter", "UInt32"},
	290: {"Duration", "Double"},
	291: {"NumericRange", "String"},
	292: {"Time", "String"},
	293: {"Date", "DateTime"},
	294: {"UtcTime", "DateTime"},
	295: {"LocaleId", "String"},
	296: {"Argument", ""},
}

// byName finds the node id of a type by its name in lower case.
var byName = sync.OnceValue(func() map[string]int {
	m := make(map[string]int, len(names)+len(unsupported))
	for id, name := range names {
		if name != "" {
			m[strings.ToLower(name)] = id
		}
	}
	for id, t := range unsupported {
		m[strings.ToLower(t.name)] = id
	}
	return m
})

// ParseType reads a data type as files name it: "Boolean", "Int32", "i=6", "ns=0;i=6", … without
// regard to case. valueRank is -1 (scalar) or 1 (array). The error names what is wrong and the
// nearest valid name.
func ParseType(name string, valueRank int) (Type, error) {
	id, err := typeNumber(name)
	if err != nil {
		return Type{}, err
	}
	t := Type{Builtin: ua.TypeID(id), Array: valueRank == 1}
	if valueRank != -1 && valueRank != 1 {
		return Type{}, fmt.Errorf("value rank %d is not supported: use -1 for a scalar or 1 for an array", valueRank)
	}
	return t, nil
}

// typeNumber finds the numeric node id of a supported type.
func typeNumber(name string) (int, error) {
	lower := strings.ToLower(name)
	id, known := byName()[lower]
	if number, ok := strings.CutPrefix(strings.TrimPrefix(lower, "ns=0;"), "i="); ok {
		n, err := strconv.ParseUint(number, 10, 32)
		id, known = int(n), err == nil
	}
	other := unsupported[id]
	switch {
	case !known:
		return 0, fmt.Errorf("unknown data type %s: did you mean %s?", quote(name), nearest(lower))
	case supported(id):
		return id, nil
	case other.name == "":
		return 0, fmt.Errorf("data type i=%d is not supported", id)
	case other.instead == "":
		return 0, fmt.Errorf("data type %s is not supported", other.name)
	}
	return 0, fmt.Errorf("data type %s is not supported: use %s", other.name, other.instead)
}

func supported(id int) bool { return id > 0 && id < len(names) && names[id] != "" }

// nearest returns the supported name with the smallest edit distance from one in lower case.
func nearest(lower string) string {
	best, least := "", maxName+1
	if len(lower) > maxName {
		lower = lower[:maxName]
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if d := distance(lower, strings.ToLower(name)); d < least {
			best, least = name, d
		}
	}
	return best
}

// maxName is how much of an unknown name is compared.
const maxName = 32

// distance is the Levenshtein distance: how many letters to insert, drop or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			replace := diagonal
			if a[i] != b[j] {
				replace++
			}
			diagonal = row[j+1]
			row[j+1] = min(replace, diagonal+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// NodeID is the node id of the data type in namespace 0.
func (t Type) NodeID() *ua.NodeID { return ua.NewNumericNodeID(0, uint32(t.Builtin)) }

// ValueRank is -1 or 1.
func (t Type) ValueRank() int32 {
	if t.Array {
		return 1
	}
	return -1
}

// String is the name of the type, with [] behind it for an array.
func (t Type) String() string {
	if !supported(int(t.Builtin)) {
		return "no type"
	}
	if t.Array {
		return names[t.Builtin] + "[]"
	}
	return names[t.Builtin]
}
