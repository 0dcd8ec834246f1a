package embedded

const (
	// firstPiece and nextPiece are what a backlog grows by: a client who reads costs little, and
	// nothing is copied for one who does not.
	firstPiece = 4 << 10
	nextPiece  = 64 << 10
)

// backlog is a queue of bytes, in pieces that are never moved.
type backlog struct {
	pieces [][]byte
	spare  []byte // empty, to be used again
}

// append copies p.
func (q *backlog) append(p []byte) {
	for len(p) > 0 {
		last := len(q.pieces) - 1
		if last < 0 || len(q.pieces[last]) == cap(q.pieces[last]) {
			q.pieces = append(q.pieces, q.piece(len(p)))
			last++
		}
		piece := q.pieces[last]
		n := min(len(p), cap(piece)-len(piece))
		q.pieces[last] = append(piece, p[:n]...)
		p = p[n:]
	}
}

func (q *backlog) piece(n int) []byte {
	if q.spare != nil {
		piece := q.spare
		q.spare = nil
		return piece
	}
	if len(q.pieces) > 0 {
		n = nextPiece
	}
	return make([]byte, 0, min(max(n, firstPiece), nextPiece))
}

// next removes the first piece; nil: there is none.
func (q *backlog) next() []byte {
	if len(q.pieces) == 0 {
		return nil
	}
	piece := q.pieces[0]
	q.pieces[0] = nil
	if q.pieces = q.pieces[1:]; len(q.pieces) == 0 {
		q.pieces = nil
	}
	return piece
}
