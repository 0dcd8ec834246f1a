package idempotency

// index finds entries. Go's maps keep the room for as many as they have ever had, so after an overload it
// is made anew when all but a quarter have gone. That takes some ms at the most keys there may be.
type index[K comparable] struct {
	of   map[K]*entry
	most int // that it has had since it was made
}

// fewEntries is what it is not worth to make room for.
const fewEntries = 4096

func newIndex[K comparable]() index[K] { return index[K]{of: map[K]*entry{}} }

func (x *index[K]) put(k K, e *entry) {
	x.of[k] = e
	x.most = max(x.most, len(x.of))
}

func (x *index[K]) remove(k K) {
	delete(x.of, k)
	if x.most <= fewEntries || len(x.of) > x.most/4 {
		return
	}
	fewer := make(map[K]*entry, len(x.of))
	for k, e := range x.of {
		fewer[k] = e
	}
	x.of, x.most = fewer, len(fewer)
}
