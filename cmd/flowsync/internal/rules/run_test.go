package rules

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// recorder keeps what a run emits.
type recorder struct {
	mu      sync.Mutex
	outputs []Output
}

func (r *recorder) emit(o Output) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outputs = append(r.outputs, o)
}

// take gives the payloads since the last call, and errors as "! text".
func (r *recorder) take() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var all []string
	for _, o := range r.outputs {
		if o.Err != nil {
			all = append(all, "! "+o.Err.Error())
			continue
		}
		all = append(all, string(o.Payload))
	}
	r.outputs = nil
	return all
}

// push sends messages of one topic and gives what came out, one by one.
func push(t *testing.T, rules []Spec, payloads ...string) []string {
	t.Helper()
	var out recorder
	r := mustCompile(t, CompileOptions{}, rules...).Start(out.emit)
	defer r.Close()
	var all []string
	for _, payload := range payloads {
		r.Push(Input{Payload: []byte(payload), Topic: "t"})
		all = append(all, strings.Join(out.take(), " | "))
	}
	return all
}

func TestCov(t *testing.T) {
	for name, tt := range map[string]struct {
		args    map[string]any
		in, out []string
	}{
		"state": {map[string]any{"key": "s"},
			[]string{`{"s":"run"}`, `{"s":"run"}`, `{"s":"stop"}`, `{"s":"stop"}`, `{"s":null}`, `{"s":null}`, `{"s":[1]}`, `{"s":[1]}`, `{"s":1}`, `{"s":1.0}`},
			[]string{`{"s":"run"}`, ``, `{"s":"stop"}`, ``, `{"s":null}`, ``, `{"s":[1]}`, ``, `{"s":1}`, ``}},
		"absolute": {map[string]any{"key": "t", "deadband": 0.5, "deadbandMode": "absolute"},
			[]string{`{"t":22.0}`, `{"t":22.1}`, `{"t":22.3}`, `{"t":22.5}`, `{"t":22.8}`, `{"t":21.9}`, `{"t":"x"}`},
			[]string{`{"t":22.0}`, ``, ``, `{"t":22.5}`, ``, `{"t":21.9}`, `{"t":"x"}`}},
		"relative": {map[string]any{"key": "p", "deadband": int64(5), "deadbandMode": "relative"},
			[]string{`{"p":100}`, `{"p":102}`, `{"p":105}`, `{"p":108}`, `{"p":0}`, `{"p":0}`, `{"p":0.001}`, `{"p":-1}`},
			[]string{`{"p":100}`, ``, `{"p":105}`, ``, `{"p":0}`, ``, `{"p":0.001}`, `{"p":-1}`}},
		"names joined by dots": {map[string]any{"key": "$.a.b"},
			[]string{`{"a":{"b":1}}`, `{"a":{"b":1},"c":2}`, `{"a":{"b":2}}`},
			[]string{`{"a":{"b":1}}`, ``, `{"a":{"b":2}}`}},
		"a name with a dot": {map[string]any{"key": "a.b"},
			[]string{`{"a.b":1}`, `{"a.b":1,"a":{"b":2}}`},
			[]string{`{"a.b":1}`, ``}},
		"no such member": {map[string]any{"key": "a.b"},
			[]string{`{}`, `5`, `{"a":5}`, `x`},
			[]string{`! cov: rule cov: the message has no "a.b"`, `! cov: rule cov: the message has no "a.b"`,
				`! cov: rule cov: the message has no "a.b"`,
				`! cov: rule cov: the payload is not JSON (byte 1: invalid character 'x' looking for beginning of value); a parse rule in front can read other formats`}},
	} {
		assert.Equal(t, tt.out, push(t, []Spec{spec("cov", tt.args)}, tt.in...), name)
	}
}

func TestCovIsPerTopic(t *testing.T) {
	var out recorder
	r := mustCompile(t, CompileOptions{}, spec("cov", map[string]any{"key": "v"})).Start(out.emit)
	defer r.Close()
	for _, topic := range []string{"a", "b", "a", "b"} {
		r.Push(Input{Payload: []byte(`{"v":1}`), Topic: topic})
	}
	assert.Len(t, out.take(), 2)
	for i := range maxTopics - 1 { // all but one: "a" is the quietest, and goes
		r.Push(Input{Payload: []byte(`{"v":1}`), Topic: fmt.Sprint(i)})
	}
	out.take()
	r.Push(Input{Payload: []byte(`{"v":1}`), Topic: "b"})
	assert.Empty(t, out.take())
	r.Push(Input{Payload: []byte(`{"v":1}`), Topic: "a"})
	assert.Len(t, out.take(), 1, "a forgotten topic passes")
	assert.Len(t, r.states[0].(*passed).byTopic, maxTopics)
}

func TestCollect(t *testing.T) {
	var out recorder
	r := mustCompile(t, CompileOptions{}, spec("collect", map[string]any{})).Start(out.emit)
	defer r.Close()
	r.Push(Input{Payload: []byte(`{"v":1}`), Topic: "room/a", Label: "temp_{room}", Vars: map[string]string{"room": "a"}})
	r.Push(Input{Payload: []byte(`{"v":2}`), Topic: "room/b", Label: "temp_{room}", Vars: map[string]string{"room": "b"}})
	r.Push(Input{Payload: []byte(`3`), Topic: "other"})
	r.Push(Input{Payload: []byte(`{"v":4}`), Topic: "room/a", Label: "temp_{room}", Vars: map[string]string{"room": "a"}})
	r.Push(Input{Payload: []byte(`5`), Topic: "x", Label: "{none}"})
	r.Push(Input{Payload: []byte(`not JSON`), Topic: "x"})
	got := out.take()
	require.Len(t, got, 6)
	assert.Equal(t, []string{
		`{"temp_a":{"v":1}}`,
		`{"temp_a":{"v":1},"temp_b":{"v":2}}`,
		`{"other":3,"temp_a":{"v":1},"temp_b":{"v":2}}`,
		`{"other":3,"temp_a":{"v":4},"temp_b":{"v":2}}`,
	}, got[:4])
	assert.Contains(t, got[4], `label "{none}": the variable "none" is not set`)
	assert.Contains(t, got[5], "not JSON")
}

func TestCollectIsBounded(t *testing.T) {
	var out recorder
	r := mustCompile(t, CompileOptions{}, spec("collect", nil)).Start(out.emit)
	defer r.Close()
	large := `"` + strings.Repeat("a", 400_000) + `"`
	for _, topic := range []string{"a", "b"} {
		r.Push(Input{Payload: []byte(large), Topic: topic})
	}
	out.take()
	r.Push(Input{Payload: []byte(large), Topic: "c"})
	r.Push(Input{Payload: []byte(`"` + strings.Repeat("b", 900_000) + `"`), Topic: "a"})
	r.Push(Input{Payload: []byte(`1`), Topic: "d"})
	got := out.take()
	require.Len(t, got, 3)
	assert.Contains(t, got[0], "! collect: rule collect: all sources together: the value is larger")
	assert.Contains(t, got[1], "larger than")
	assert.True(t, strings.HasPrefix(got[2], `{"a":"aaa`) && strings.HasSuffix(got[2], `,"d":1}`), "what fitted is still there")

	latest := r.states[0].(map[string]any)
	clear(latest)
	for i := range MaxSources {
		latest[fmt.Sprint(i)] = true
	}
	r.Push(Input{Payload: []byte(`1`), Topic: "one more"})
	assert.Contains(t, out.take()[0], "there are messages of 4096 sources already")
}

func burstOf(args map[string]any) []Spec { return []Spec{spec("burst", args)} }

func TestBurst(t *testing.T) {
	assert.Equal(t, []string{``, ``, `[1,{"a":2},"c"]`, ``, ``, `[4,5,6]`},
		push(t, burstOf(map[string]any{"maxSize": int64(3)}), `1`, `{"a": 2}`, `"c"`, `4`, `5`, `6`))
	assert.Equal(t, []string{`[1]`, `[2]`}, push(t, burstOf(map[string]any{"maxSize": 1}), `1`, `2`))
	assert.Equal(t, []string{`1.50`, `x`}, push(t, burstOf(nil), `1.50`, `x`), "unaffected")
	assert.Contains(t, push(t, burstOf(map[string]any{"maxSize": 2}), `x`)[0], "not JSON")
	assert.Equal(t, []string{``, `{"n":2,"sum":3}`}, push(t, []Spec{
		transform(`v`)[0], burstOf(map[string]any{"maxSize": 2})[0], transform(`{"n": $count($), "sum": $sum($)}`)[0],
	}, `{"v":1}`, `{"v":2}`))
	assert.Equal(t, []string{``, ``, ``, `[[1,2],[3,4]]`}, push(t, []Spec{
		burstOf(map[string]any{"maxSize": 2})[0], burstOf(map[string]any{"maxSize": 2})[0],
	}, `1`, `2`, `3`, `4`))
}

func TestBurstIsSentBeforeItIsTooLarge(t *testing.T) {
	large := `"` + strings.Repeat("a", 400_000) + `"`
	got := push(t, burstOf(map[string]any{"maxSize": 10}), large, large, large, `1`)
	assert.Equal(t, []string{"", "", "[" + large + "," + large + "]", ""}, got)
}

func TestBurstInterval(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out recorder
		r := mustCompile(t, CompileOptions{}, burstOf(map[string]any{"interval": 2000, "maxSize": 3})...).Start(out.emit)
		at := func(wait time.Duration) []string {
			time.Sleep(wait) // invented time
			synctest.Wait()
			return out.take()
		}
		in := func(payload string) {
			r.Push(Input{Payload: []byte(payload), Topic: "t" + payload, Vars: map[string]string{"v": payload}})
		}

		assert.Empty(t, at(5*time.Second), "nothing came: nothing goes")
		in(`1`)
		assert.Empty(t, at(1200*time.Millisecond))
		in(`2`)
		assert.Empty(t, at(799*time.Millisecond), "not before 2 s after the first")
		assert.Equal(t, []string{`[1,2]`}, at(time.Millisecond))
		assert.Empty(t, at(10*time.Second))

		in(`3`)
		at(1900 * time.Millisecond)
		in(`4`)
		in(`5`)
		assert.Equal(t, []string{`[3,4,5]`}, at(0), "full")
		in(`6`)
		assert.Empty(t, at(1999*time.Millisecond), "the clock of the earlier batch is off")
		assert.Equal(t, []string{`[6]`}, at(time.Millisecond))

		in(`7`)
		r.Close()
		assert.Equal(t, []string{`[7]`}, out.take(), "closing sends what is held")
		r.Close()
		in(`8`)
		assert.Empty(t, at(time.Hour), "nothing after Close")
	})
}

// TestTimerOfAnEarlierBatch calls what a timer calls that fired when its batch was just sent.
func TestTimerOfAnEarlierBatch(t *testing.T) {
	var out recorder
	r := mustCompile(t, CompileOptions{}, burstOf(map[string]any{"interval": 3_600_000, "maxSize": 2})...).Start(out.emit)
	b := r.states[0].(*batch)
	r.Push(Input{Payload: []byte(`1`)})
	generation := b.generation
	r.Push(Input{Payload: []byte(`2`)})
	r.Push(Input{Payload: []byte(`3`)})
	out.take()
	r.later(0, b, generation)
	assert.Empty(t, out.take(), "the new batch is not its own")
	r.later(0, b, b.generation)
	assert.Equal(t, []string{`[3]`}, out.take())
	r.Close()
	r.later(0, b, b.generation)
	assert.Empty(t, out.take())
}

func TestRunsHaveStateOfTheirOwn(t *testing.T) {
	p := mustCompile(t, CompileOptions{},
		transform(`{"v": v, "before": $last("l").v}`)[0], spec("stash", map[string]any{"label": "l"}))
	var a, b recorder
	ra, rb := p.Start(a.emit), p.Start(b.emit)
	defer ra.Close()
	defer rb.Close()
	ra.Push(Input{Payload: []byte(`{"v":1}`)})
	rb.Push(Input{Payload: []byte(`{"v":2}`)})
	ra.Push(Input{Payload: []byte(`{"v":3}`)})
	assert.Equal(t, []string{`{"v":1}`, `{"before":1,"v":3}`}, a.take())
	assert.Equal(t, []string{`{"v":2}`}, b.take())
}

func TestVarsOfOutput(t *testing.T) {
	var out recorder
	r := mustCompile(t, CompileOptions{}, spec("setContextVars", map[string]any{"vars": map[string]any{
		"s": `"x"`, "n": "5", "f": 0.5, "b": true, "o": "{}", "z": "null", "room": "none", "gone": "{}",
	}})).Start(out.emit)
	defer r.Close()
	r.Push(Input{Payload: []byte(`{}`), Vars: map[string]string{"room": "r", "gone": "g"}})
	require.Len(t, out.outputs, 1)
	assert.Equal(t, map[string]string{"s": "x", "n": "5", "f": "0.5", "b": "true", "room": "r"}, out.outputs[0].Vars)
}

// TestPerStationCounter is the pattern that the documentation of Connectware shows for stash:
// counters that outlive the message, for sources that a wildcard finds.
func TestPerStationCounter(t *testing.T) {
	var out recorder
	r := mustCompile(t, CompileOptions{},
		spec("collect", nil),
		transform(`(
			$station := $context.vars.Station;
			$before := $last("counters") ? $last("counters").counts : {};
			$count := ($lookup($before, $station) ? $lookup($before, $station) : 0) + 1;
			{"counts": $merge([$before, {($station): $count}]), "n": $count, "event": $lookup($, "s_" & $station)}
		)`)[0],
		spec("stash", map[string]any{"label": "counters"}),
		transform(`{"station": $context.vars.Station, "n": n, "type": event.type}`)[0]).Start(out.emit)
	defer r.Close()
	for _, station := range []string{"A", "B", "A"} {
		r.Push(Input{
			Payload: []byte(`{"type":"start"}`), Topic: "stations/" + station,
			Label: "s_{Station}", Vars: map[string]string{"Station": station},
		})
	}
	assert.Equal(t, []string{
		`{"n":1,"station":"A","type":"start"}`, `{"n":1,"station":"B","type":"start"}`, `{"n":2,"station":"A","type":"start"}`,
	}, out.take())
}

// TestBurstNamesItsLastMessage: the array goes where the last of its messages would have gone.
func TestBurstNamesItsLastMessage(t *testing.T) {
	var out recorder
	r := mustCompile(t, CompileOptions{}, burstOf(map[string]any{"maxSize": 2})[0], transform(`{"of": $, "at": $context.topic}`)[0]).Start(out.emit)
	defer r.Close()
	for _, v := range []string{"1", "2"} {
		r.Push(Input{Payload: []byte(v), Topic: "t/" + v, Vars: map[string]string{"v": v}})
	}
	require.Len(t, out.outputs, 1)
	assert.Equal(t, map[string]string{"v": "2"}, out.outputs[0].Vars)
	assert.Equal(t, []string{`{"at":"t/2","of":[1,2]}`}, out.take())
}
