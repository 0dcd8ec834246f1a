package idempotency

import (
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/flowsync-go/flowsync/core"
)

// program runs what bytes say on a table and its model, and compares all requests after each step.
type program struct {
	*rig
	model *model
	disk  *disk
	asked []*asked
	ends  []modelEnd // of those who have ended
}

const (
	programSteps  = 80
	programKeys   = 4
	programWindow = 3 * time.Second
)

func runProgram(t *testing.T, text []byte) {
	if len(text) == 0 {
		return
	}
	bubble(t, func(t *testing.T) {
		p := &program{model: &model{
			stored: text[0]&1 == 0, maxKeys: programKeys - int(text[0]>>1&1), window: programWindow, timeout: core.DefaultTimeout,
			now: time.Now(), keys: map[byte]*modelKey{},
		}}
		p.start(t)
		text = text[1:]
		for i := 0; i+1 < len(text) && i < 2*programSteps; i += 2 {
			p.step(text[i], text[i+1])
			p.compare(text[:i+2])
		}
		p.rig.close()
	})
}

// start opens a rig, the first one or after a restart.
func (p *program) start(t *testing.T) {
	s := setup{Options: Options{MaxKeys: p.model.maxKeys}, window: programWindow, wire: &wire{}}
	if p.rig != nil {
		s.wire.left = p.wire.left
	}
	if p.model.stored {
		if p.disk == nil {
			p.disk = newDisk()
		}
		s.Store = p.disk
	}
	p.rig = newRig(t, s)
}

func (p *program) step(op, arg byte) {
	m := p.model
	name := arg % programKeys
	k := m.keys[name]
	switch op % 10 {
	case 0, 1:
		p.begin(name, arg>>2&1, arg>>3)
	case 2:
		p.advance(time.Duration(arg) * 16 * time.Millisecond)
	case 3:
		p.cancel(arg)
	case 4:
		p.answer(k, modelEnd{outcome: core.Answered, value: string('0' + arg>>2%8)})
	case 5:
		p.answer(k, modelEnd{outcome: core.ResponderError})
	case 6:
		if k != nil {
			p.resolve(k, `"error":7`)
			m.unusable(k)
		}
	case 7:
		if k != nil {
			refused := arg&4 != 0
			err := core.ErrNotSent
			if refused {
				err = core.ErrRefused
			}
			p.engine.Fail(p.wire.requests()[k.request].ID, err)
			m.failed(k, refused)
		}
	case 8:
		p.trouble(arg)
	case 9:
		if arg&3 == 0 {
			p.rig.close()
			m.restart()
			p.start(p.t)
		}
	}
	synctest.Wait()
}

func (p *program) begin(name, body, short byte) {
	m := p.model
	limit := m.timeout - time.Duration(short)*50*time.Millisecond
	limit = m.clear(m.now.Add(limit)).Sub(m.now)
	if limit > m.timeout { // its own would come first, perhaps together with another one
		limit = m.timeout
		p.advance(m.clear(m.now.Add(limit)).Sub(m.now.Add(limit)))
	}
	p.wire.set(func(w *wire) {
		w.unsent, w.err = m.wire == wireWaits, nil
		if m.wire == wireRefuses && !(m.stored && m.diskFull) {
			w.err = core.ErrNotSent
		}
	})
	m.begin(name, body, limit)
	a := p.ask(string('a'+name), func(c *core.Call) {
		c.Value = []byte{'0' + body}
		c.Timeout = limit
	})
	p.asked = append(p.asked, a)
	p.ends = append(p.ends, modelEnd{})
	synctest.Wait()
	p.wire.set(func(w *wire) { w.err = nil })
}

func (p *program) advance(d time.Duration) {
	to := p.model.clear(p.model.now.Add(d))
	time.Sleep(to.Sub(p.model.now))
	synctest.Wait()
	p.model.advance(to)
}

// cancel cancels one of the last eight, whether it has ended or not.
func (p *program) cancel(which byte) {
	if len(p.asked) == 0 {
		return
	}
	i := max(0, len(p.asked)-8) + int(which)%min(8, len(p.asked))
	r := p.model.expected[i]
	waits := r.end == modelEnd{}
	require.Equal(p.t, waits, p.asked[i].rig == p.rig && p.Cancel(p.asked[i].id), "Cancel of request %d", i)
	if waits {
		p.model.leave(r, core.Cancelled)
	}
}

func (p *program) answer(k *modelKey, end modelEnd) {
	if k == nil {
		return
	}
	if end.outcome == core.Answered {
		p.resolve(k, `"value":`+end.value)
	} else {
		p.resolve(k, `"error":{"code":5}`)
	}
	p.model.answered(k, end)
}

func (p *program) resolve(k *modelKey, members string) {
	id := p.wire.requests()[k.request].ID
	p.engine.Resolve(core.Answer{Node: p.a, Payload: []byte(`{"id":"` + id.String() + `",` + members + `}`)})
}

func (p *program) trouble(arg byte) {
	m := p.model
	if arg&1 == 0 {
		m.wire = arg >> 1 % 3
		return
	}
	m.diskFull = arg&2 != 0
	if p.disk != nil {
		p.disk.set(func(d *disk) {
			if d.err = nil; m.diskFull {
				d.err = errDisk
			}
		})
	}
}

// compare requires that all requests have ended as the model's have, or not.
func (p *program) compare(text []byte) {
	t := p.t
	for i, a := range p.asked {
		select {
		case r := <-a.ended:
			p.ends[i] = modelEnd{r.Outcome, r.Repeat, string(r.Value)}
		default:
		}
		require.Equal(t, p.model.expected[i].end.String(), p.ends[i].String(), "request %d after %v", i, text)
	}
	require.Equal(t, p.model.left, len(p.wire.requests()), "requests that left, after %v", text)
	p.model.expire()
	s := p.Stats(p.a)
	requireAddUp(t, s)
	require.Equal(t, len(p.model.keys), s.Keys, "keys after %v", text)
	doubtful, waiting := 0, 0
	for _, k := range p.model.keys {
		if k.state == inDoubt {
			doubtful++
		}
		for _, r := range k.waiting {
			if !r.first {
				waiting++
			}
		}
	}
	require.Equal(t, doubtful, s.Doubtful, "keys in doubt after %v", text)
	require.Equal(t, waiting, s.Waiting, "waiting after %v", text)
}

// FuzzTable: a table does what its model does, whatever happens in whatever order.
func FuzzTable(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 4, 0, 0, 0})                               // replay
	f.Add([]byte{0, 0, 0, 2, 255, 0, 0, 4, 8, 0, 0})                       // late answer
	f.Add([]byte{1, 0, 0, 0, 8, 3, 0, 3, 1, 0, 0, 2, 200, 4, 0})           // both leave
	f.Add([]byte{0, 0, 0, 2, 255, 9, 0, 0, 0, 4, 4, 0, 0, 9, 0, 0, 0})     // restarts
	f.Add([]byte{0, 8, 3, 0, 0, 8, 1, 0, 0, 8, 3, 4, 0, 9, 0, 0, 0})       // a full disk
	f.Add([]byte{2, 0, 0, 0, 1, 0, 2, 0, 3, 2, 255, 2, 255, 0, 3})         // full
	f.Add([]byte{0, 8, 2, 0, 0, 0, 8, 7, 0, 8, 4, 0, 0, 8, 0, 0, 0, 7, 4}) // unsent, refused
	f.Fuzz(runProgram)
}

// TestPrograms runs random ones.
func TestPrograms(t *testing.T) {
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 5))
		text := make([]byte, 1+2*programSteps)
		for i := range text {
			text[i] = byte(random.Uint32())
		}
		runProgram(t, text)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
