package responder

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestDecode(t *testing.T) {
	for _, c := range []struct{ payload, id, value string }{
		{`{"id":"a","timestamp":1,"value":{"b": [1, 2.50]}}`, `"a"`, `{"b": [1, 2.50]}`},
		{`{"id":"a"}`, `"a"`, ""},
		{`{"value":null,"id":"\u0061"}`, `"\u0061"`, "null"},
	} {
		var r request
		require.NoError(t, r.decode([]byte(c.payload)))
		assert.Equal(t, c.id, string(r.ID))
		assert.Equal(t, c.value, string(r.Value))
	}
	for _, payload := range []string{"", "x", "[]", "{}", `{"id":1}`, `{"id":null}`, `{"id":{}}`, `{"id":"a"`} {
		assert.Error(t, new(request).decode([]byte(payload)), payload)
	}
}

func TestAnswer(t *testing.T) {
	const head = `{"id":"ab12","timestamp":5000`
	for _, c := range []struct {
		act    Act
		value  string // of the options
		want   string
		times  int
		retain bool
		bare   bool // without correlation data
	}{
		{act: Answer, want: head + `,"value":[1, 2]}`, times: 1},
		{act: Answer, value: `"x"`, want: head + `,"value":"x"}`, times: 1},
		{act: Late, want: head + `,"value":[1, 2]}`, times: 1},
		{act: Duplicate, want: head + `,"value":[1, 2]}`, times: 2},
		{act: Retained, want: head + `,"value":[1, 2]}`, times: 1, retain: true},
		{act: Error, want: head + `,"error":{"code":409,"message":"no \"way\""}}`, times: 1},
		{act: IDOnly, want: `{"id":"ab12"}`, times: 1},
		{act: WrongID, want: `{"id":"ab10","timestamp":5000,"value":[1, 2]}`, times: 1, bare: true},
		{act: Garbage, want: `{"id":garbage`, times: 1, bare: true},
	} {
		o := Options{ErrorCode: 409, ErrorMessage: `no "way"`}
		if c.value != "" {
			o.Value = []byte(c.value)
		}
		r := &request{ID: []byte(`"ab12"`), Value: []byte("[1, 2]"), topic: "n/tres", correlation: []byte{1}}
		a := o.answer(r, c.act, time.UnixMilli(5000))
		assert.Equal(t, c.want, string(a.payload), c.act)
		assert.Equal(t, c.times, a.times, c.act)
		assert.Equal(t, c.retain, a.retain, c.act)
		assert.Equal(t, c.bare, a.correlation == nil, c.act)
		assert.Equal(t, "n/tres", a.topic)
	}
	empty := new(Options).answer(&request{ID: []byte(`"a"`)}, Answer, time.UnixMilli(1))
	assert.Equal(t, `{"id":"a","timestamp":1,"value":null}`, string(empty.payload))
}

func TestAnotherID(t *testing.T) {
	assert.Equal(t, `"a0"`, string(anotherID([]byte(`"af"`))))
	assert.Equal(t, `"a1"`, string(anotherID([]byte(`"a0"`))))
	assert.Equal(t, `""`, string(anotherID([]byte(`""`))))
}

func TestTopics(t *testing.T) {
	for topic, want := range map[string]string{
		"services/shop/order":      "services/shop/order/treq",
		"services/shop/order/treq": "services/shop/order/treq",
		"services/+/order":         "services/+/order/treq",
		"services/shop/#":          "services/shop/#",
		"#":                        "#",
		"$share/g/services/x":      "$share/g/services/x/treq",
		"":                         "",
	} {
		assert.Equal(t, want, filterOf(topic), topic)
	}
	for _, c := range []struct {
		topic, response, want string
		ok                    bool
	}{
		{"a/treq", "", "a/tres", true},
		{"a/treq", "elsewhere", "elsewhere", true},
		{"a/tres", "", "", false},
		{"a/tres", "b", "", false},
		{"a/treq", "b/treq", "b/treq", false},
		{"a/treq", "b/#", "b/#", false},
	} {
		got, ok := answerTopic(c.topic, c.response)
		assert.Equal(t, c.want, got, c)
		assert.Equal(t, c.ok, ok, c)
	}
}
