package core

import (
	"math/rand/v2"
	"testing"
	"time"
)

const wheelBenchSlots = 1 << 14

// BenchmarkWheel is what the wheel does with one slot of many whose deadlines are up to an hour
// away: it arms it, disarms it, or moves it down a level when the time has come.
func BenchmarkWheel(b *testing.B) {
	var t table
	var w wheel
	slots := make([]uint32, wheelBenchSlots)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range slots {
		slots[i] = t.take(maxSlots)
		t.at(slots[i]).deadline = random.Int64N(int64(time.Hour))
	}
	armAll := func() {
		for _, i := range slots {
			w.arm(&t, i, t.at(i))
		}
	}
	disarmAll := func() {
		for _, i := range slots {
			w.disarm(&t, i, t.at(i))
		}
	}
	b.Run("arm", func(b *testing.B) { alternate(b, func() {}, armAll, disarmAll) })
	b.Run("disarm", func(b *testing.B) { alternate(b, armAll, disarmAll, func() {}) })
	b.Run("cascade", func(b *testing.B) {
		open := func() { // the bucket in which all of them are
			for _, i := range slots {
				t.at(i).deadline = 64 * 64 * tick
			}
			armAll()
			budget := 0
			w.due(&t, 64*64*tick, &budget)
		}
		cascade := func() {
			budget := wheelBenchSlots
			w.due(&t, 64*64*tick, &budget)
		}
		alternate(b, open, cascade, func() { disarmAll(); w.now = 0 })
	})
}

// alternate measures what middle does, for one slot.
func alternate(b *testing.B, before, middle, after func()) {
	b.ReportAllocs()
	b.StopTimer()
	done := 0 // whole rounds, perhaps more than asked for
	for done < b.N {
		before()
		b.StartTimer()
		middle()
		b.StopTimer()
		after()
		done += wheelBenchSlots
	}
	b.ReportMetric(float64(b.Elapsed())/float64(done), "ns/op")
}
