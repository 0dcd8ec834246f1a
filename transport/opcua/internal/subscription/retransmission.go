package subscription

import (
	"slices"

	"github.com/gopcua/opcua/ua"
)

// retransmission keeps messages until they are acknowledged (OPC 10000-4, 5.14.1.2), and knows
// the next sequence number. The oldest go when there are too many, or when the notifications in those of
// all subscriptions are too many, or too long. The newest stays in any case, unless it is long: then
// it cannot be had again.
type retransmission struct {
	next   uint32 // never 0
	kept   []kept
	limit  int     // of kept messages
	budget *budget // of kept notifications
	bytes  *budget // of long values in them
}

type kept struct {
	message       *ua.NotificationMessage
	notifications int
	weight        int
}

// keep keeps a message that carries notifications and so uses up its sequence number.
func (r *retransmission) keep(m *ua.NotificationMessage, notifications, weight int) {
	if r.next++; r.next == 0 {
		r.next = 1
	}
	for len(r.kept) >= r.limit {
		r.remove(0)
	}
	for !r.budget.reserve(notifications) {
		if len(r.kept) == 0 {
			r.budget.force(notifications)
			break
		}
		r.remove(0)
	}
	for !r.bytes.reserve(weight) {
		if len(r.kept) == 0 {
			r.budget.release(notifications)
			return
		}
		r.remove(0)
	}
	r.kept = append(r.kept, kept{m, notifications, weight})
}

func (r *retransmission) remove(i int) {
	r.budget.release(r.kept[i].notifications)
	r.bytes.release(r.kept[i].weight)
	r.kept = slices.Delete(r.kept, i, i+1)
}

func (r *retransmission) index(sequence uint32) int {
	return slices.IndexFunc(r.kept, func(k kept) bool { return k.message.SequenceNumber == sequence })
}

// acknowledge lets a message go.
func (r *retransmission) acknowledge(sequence uint32) ua.StatusCode {
	i := r.index(sequence)
	if i < 0 {
		return ua.StatusBadSequenceNumberUnknown
	}
	r.remove(i)
	return ua.StatusOK
}

// again gives a message once more; nil: it is not kept.
func (r *retransmission) again(sequence uint32) *ua.NotificationMessage {
	if i := r.index(sequence); i >= 0 {
		return r.kept[i].message
	}
	return nil
}

// available are the sequence numbers of the messages, oldest first.
func (r *retransmission) available() []uint32 {
	numbers := make([]uint32, len(r.kept))
	for i, k := range r.kept {
		numbers[i] = k.message.SequenceNumber
	}
	return numbers
}

func (r *retransmission) clear() {
	for len(r.kept) > 0 {
		r.remove(len(r.kept) - 1)
	}
}
