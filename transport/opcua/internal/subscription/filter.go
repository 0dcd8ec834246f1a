package subscription

import (
	"math"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// filter is a DataChangeFilter (OPC 10000-4, 7.22.2): which samples are queued.
type filter struct {
	trigger  ua.DataChangeTrigger
	deadband float64 // in the value's unit; 0: none, each difference counts
}

// anyChange is what holds without a filter.
var anyChange = filter{trigger: ua.DataChangeTriggerStatusValue}

// readFilter checks the filter of an item.
func readFilter(x *ua.ExtensionObject, n *space.Node, attribute ua.AttributeID) (filter, ua.StatusCode) {
	if absent(x) {
		return anyChange, ua.StatusOK
	}
	if attribute != ua.AttributeIDValue {
		return filter{}, ua.StatusBadFilterNotAllowed
	}
	switch f := x.Value.(type) {
	case *ua.DataChangeFilter:
		return readDataChange(f, n)
	case *ua.EventFilter, *ua.AggregateFilter:
		return filter{}, ua.StatusBadMonitoredItemFilterUnsupported
	default:
		return filter{}, ua.StatusBadMonitoredItemFilterInvalid
	}
}

// absent says that there is no filter: a null extension object. One of a type that nobody knows
// is there, but has no value.
func absent(x *ua.ExtensionObject) bool {
	return x == nil || x.Value == nil && (x.TypeID == nil || x.TypeID.NodeID == nil || x.TypeID.NodeID.IntID() == 0 &&
		x.TypeID.NodeID.StringID() == "")
}

func readDataChange(f *ua.DataChangeFilter, n *space.Node) (filter, ua.StatusCode) {
	if f == nil || f.Trigger > ua.DataChangeTriggerStatusValueTimestamp {
		return filter{}, ua.StatusBadMonitoredItemFilterInvalid
	}
	kind := ua.DeadbandType(f.DeadbandType)
	if kind == ua.DeadbandTypeNone {
		return filter{trigger: f.Trigger}, ua.StatusOK
	}
	switch {
	case kind > ua.DeadbandTypePercent:
		return filter{}, ua.StatusBadDeadbandFilterInvalid
	case !isNumber(n.DataType):
		return filter{}, ua.StatusBadFilterNotAllowed
	case !(f.DeadbandValue >= 0) || math.IsInf(f.DeadbandValue, 1):
		return filter{}, ua.StatusBadDeadbandFilterInvalid
	case kind == ua.DeadbandTypeAbsolute:
		return filter{f.Trigger, f.DeadbandValue}, ua.StatusOK
	case f.DeadbandValue > 100:
		return filter{}, ua.StatusBadDeadbandFilterInvalid
	case n.EURange == nil || !(n.EURange.High > n.EURange.Low):
		return filter{}, ua.StatusBadMonitoredItemFilterUnsupported
	}
	return filter{f.Trigger, f.DeadbandValue / 100 * (n.EURange.High - n.EURange.Low)}, ua.StatusOK
}

// isNumber says whether values of a data type are numbers, for which deadbands are defined.
func isNumber(dataType *ua.NodeID) bool {
	if dataType == nil || dataType.Namespace() != 0 {
		return false
	}
	switch n := dataType.IntID(); n {
	case id.Number, id.Integer, id.UInteger, id.Duration:
		return true
	default:
		return id.SByte <= n && n <= id.Double
	}
}

// passes says whether a sample is to be queued, after the last one that was.
func (f filter) passes(last, now *ua.DataValue) bool {
	switch {
	case last.Status != now.Status:
		return true
	case f.trigger == ua.DataChangeTriggerStatus:
		return false
	case f.deadband > 0:
		return exceeds(last.Value, now.Value, f.deadband)
	case f.trigger == ua.DataChangeTriggerStatusValueTimestamp && !last.SourceTimestamp.Equal(now.SourceTimestamp):
		return true
	default:
		return !same(last.Value, now.Value)
	}
}

func same(a, b *ua.Variant) bool {
	if a == nil || b == nil {
		return a == b
	}
	return value.Equal(a, b)
}

// exceeds says whether a number, or any of an array, differs by more than the deadband; arrays
// of other lengths always do (7.22.2). What is no number exceeds by any difference.
func exceeds(last, now *ua.Variant, deadband float64) bool {
	if same(last, now) {
		return false
	}
	if last == nil || now == nil || last.Type() != now.Type() {
		return true
	}
	if a, ok := value.Number(last); ok {
		b, ok := value.Number(now)
		return !ok || apart(a, b, deadband)
	}
	a, ok := value.Numbers(last)
	b, also := value.Numbers(now)
	if !ok || !also || len(a) != len(b) {
		return true
	}
	for i := range a {
		if apart(a[i], b[i], deadband) {
			return true
		}
	}
	return false
}

// apart: a number and none (NaN) always are, two infinities of the same sign are not.
func apart(a, b, deadband float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) != math.IsNaN(b)
	}
	return a != b && math.Abs(a-b) > deadband
}
