package rules

import (
	"container/list"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
)

// cov lets a message through when a value in it has changed.
type cov struct {
	key      string
	deadband float64
	relative bool
}

func makeCov(p *properties) rule {
	c := cov{key: strings.TrimPrefix(strings.TrimPrefix(p.text("key"), "$"), ".")}
	c.deadband = p.amount("deadband", math.MaxFloat64, false)
	switch mode := p.values["deadbandMode"]; mode {
	case nil, "absolute":
	case "relative":
		c.relative = true
	default:
		p.fail("it is absolute or relative", "deadbandMode of cov cannot be %s", describe(mode))
	}
	return rule{run: c.run, start: func() any { return newPassed() }}
}

func (c cov) run(m *message, r *run) error {
	v, err := m.load()
	if err != nil {
		return err
	}
	now, ok := c.find(v)
	if !ok {
		return fmt.Errorf("the message has no %q", c.key)
	}
	before := r.state.(*passed)
	if last, ok := before.get(m.in.Topic); ok && !c.changed(last, now) {
		return ErrFiltered
	}
	before.set(m.in.Topic, now)
	return nil
}

// find looks for a member of that very name first: names may have dots in them.
func (c cov) find(v any) (any, bool) {
	object, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	if found, ok := object[c.key]; ok {
		return found, true
	}
	for _, name := range strings.Split(c.key, ".") {
		if object, ok = v.(map[string]any); !ok {
			return nil, false
		}
		if v, ok = object[name]; !ok {
			return nil, false
		}
	}
	return v, true
}

func (c cov) changed(last, now any) bool {
	a, numeric := toFloat(last)
	b, both := toFloat(now)
	if !numeric || !both {
		return !reflect.DeepEqual(last, now)
	}
	if c.deadband == 0 {
		return last != now
	}
	change := math.Abs(b - a)
	if c.relative {
		return change > 0 && change >= math.Abs(a)*c.deadband/100
	}
	return change >= c.deadband
}

// maxTopics is for how many topics cov remembers the last value. Beyond, it forgets the
// one that has been quiet longest, whose next message then passes.
const maxTopics = 4096

// passed are the values that passed last, by topic.
type passed struct {
	byTopic map[string]*list.Element
	recent  *list.List // of passing, the latest in front
}

type passing struct {
	topic string
	value any
}

func newPassed() *passed { return &passed{byTopic: map[string]*list.Element{}, recent: list.New()} }

func (p *passed) get(topic string) (any, bool) {
	e, ok := p.byTopic[topic]
	if !ok {
		return nil, false
	}
	p.recent.MoveToFront(e)
	return e.Value.(passing).value, true
}

func (p *passed) set(topic string, value any) {
	if e, ok := p.byTopic[topic]; ok {
		e.Value = passing{topic, value}
		return
	}
	if len(p.byTopic) == maxTopics {
		oldest := p.recent.Back()
		delete(p.byTopic, p.recent.Remove(oldest).(passing).topic)
	}
	p.byTopic[topic] = p.recent.PushFront(passing{topic, value})
}

// makeCollect gives the latest message of every source, as one object.
func makeCollect(*properties) rule {
	return rule{run: collect, start: func() any { return map[string]any{} }}
}

func collect(m *message, r *run) error {
	v, err := m.load()
	if err != nil {
		return err
	}
	source, err := m.source()
	if err != nil {
		return err
	}
	latest := r.state.(map[string]any)
	if _, known := latest[source]; !known && len(latest) == MaxSources {
		return fmt.Errorf("there are messages of %d sources already; subscribe to fewer topics, or give them labels", MaxSources)
	}
	before, known := latest[source]
	latest[source] = v
	all, err := normalise(latest)
	if err != nil { // keep to what fits
		if delete(latest, source); known {
			latest[source] = before
		}
		return fmt.Errorf("all sources together: %w", err)
	}
	m.store(all)
	return nil
}

func makeBurst(p *properties) rule {
	const day = 24 * time.Hour
	b := burst{
		interval: time.Duration(p.amount("interval", float64(day.Milliseconds()), true)) * time.Millisecond,
		maxSize:  int(p.amount("maxSize", maxBatch, true)),
	}
	if b.interval == 0 && b.maxSize == 0 {
		return rule{run: func(*message, *run) error { return nil }}
	}
	return rule{run: b.run, start: func() any { return &batch{} }}
}
