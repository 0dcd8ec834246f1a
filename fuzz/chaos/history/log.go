package history

import "sync"

// chunk is how many events are made room for at once.
const chunk = 4096

// log keeps the events of one kind in the order in which they were added, which is nearly that of
// their numbers. It never moves what it has.
type log[T any] struct {
	mu     sync.Mutex // guards all below; leaf
	chunks [][]T
	n      int
}

func (l *log[T]) add(e T) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.n == len(l.chunks)*chunk {
		l.chunks = append(l.chunks, make([]T, 0, chunk))
	}
	last := &l.chunks[len(l.chunks)-1]
	*last = append(*last, e)
	l.n++
}

// each calls f with every event that is there when it begins; f must not keep the pointer's
// target changing: events are never written again.
func (l *log[T]) each(f func(*T)) {
	l.mu.Lock()
	chunks := make([][]T, len(l.chunks))
	copy(chunks, l.chunks)
	l.mu.Unlock()
	for _, c := range chunks {
		for i := range c {
			f(&c[i])
		}
	}
}

func (l *log[T]) len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.n
}
