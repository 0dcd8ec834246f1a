package subscription

import (
	"math"
	"testing"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
)

func changeFilter(trigger ua.DataChangeTrigger, kind ua.DeadbandType, deadband float64) *ua.ExtensionObject {
	return ua.NewExtensionObject(&ua.DataChangeFilter{Trigger: trigger, DeadbandType: uint32(kind), DeadbandValue: deadband})
}

func TestFiltersAreChecked(t *testing.T) {
	const (
		onValue  = ua.AttributeIDValue
		absolute = ua.DeadbandTypeAbsolute
		percent  = ua.DeadbandTypePercent
		always   = ua.DataChangeTriggerStatusValue
	)
	number := &space.Node{DataType: ua.NewTwoByteNodeID(id.Double), EURange: &ua.Range{Low: -100, High: 300}}
	rangeless := &space.Node{DataType: ua.NewTwoByteNodeID(id.Int32)}
	empty := &space.Node{DataType: ua.NewTwoByteNodeID(id.Int32), EURange: &ua.Range{Low: 1, High: 1}}
	words := &space.Node{DataType: ua.NewTwoByteNodeID(id.String)}
	foreign := &space.Node{DataType: ua.NewNumericNodeID(1, id.Double)}
	tests := map[string]struct {
		filter    *ua.ExtensionObject
		node      *space.Node
		attribute ua.AttributeID
		want      filter
		status    ua.StatusCode
	}{
		"none":                     {nil, words, onValue, anyChange, ua.StatusOK},
		"null":                     {ua.NewExtensionObject(nil), words, onValue, anyChange, ua.StatusOK},
		"null of an attribute":     {ua.NewExtensionObject(nil), words, ua.AttributeIDDisplayName, anyChange, ua.StatusOK},
		"status":                   {changeFilter(ua.DataChangeTriggerStatus, 0, 0), words, onValue, filter{trigger: ua.DataChangeTriggerStatus}, ua.StatusOK},
		"absolute":                 {changeFilter(always, absolute, 2.5), rangeless, onValue, filter{always, 2.5}, ua.StatusOK},
		"absolute zero":            {changeFilter(always, absolute, 0), rangeless, onValue, filter{always, 0}, ua.StatusOK},
		"percent":                  {changeFilter(always, percent, 10), number, onValue, filter{always, 40}, ua.StatusOK},
		"hundred percent":          {changeFilter(always, percent, 100), number, onValue, filter{always, 400}, ua.StatusOK},
		"more than all":            {changeFilter(always, percent, 100.1), number, onValue, filter{}, ua.StatusBadDeadbandFilterInvalid},
		"negative percent":         {changeFilter(always, percent, -1), number, onValue, filter{}, ua.StatusBadDeadbandFilterInvalid},
		"negative":                 {changeFilter(always, absolute, -1), number, onValue, filter{}, ua.StatusBadDeadbandFilterInvalid},
		"no number":                {changeFilter(always, absolute, math.NaN()), number, onValue, filter{}, ua.StatusBadDeadbandFilterInvalid},
		"infinite":                 {changeFilter(always, absolute, math.Inf(1)), number, onValue, filter{}, ua.StatusBadDeadbandFilterInvalid},
		"deadband of unknown type": {changeFilter(always, 3, 1), number, onValue, filter{}, ua.StatusBadDeadbandFilterInvalid},
		"percent without range":    {changeFilter(always, percent, 10), rangeless, onValue, filter{}, ua.StatusBadMonitoredItemFilterUnsupported},
		"percent of nothing":       {changeFilter(always, percent, 10), empty, onValue, filter{}, ua.StatusBadMonitoredItemFilterUnsupported},
		"deadband of a text":       {changeFilter(always, absolute, 1), words, onValue, filter{}, ua.StatusBadFilterNotAllowed},
		"deadband of a foreign":    {changeFilter(always, absolute, 1), foreign, onValue, filter{}, ua.StatusBadFilterNotAllowed},
		"unknown trigger":          {changeFilter(3, 0, 0), number, onValue, filter{}, ua.StatusBadMonitoredItemFilterInvalid},
		"filter of an attribute":   {changeFilter(always, 0, 0), number, ua.AttributeIDDisplayName, filter{}, ua.StatusBadFilterNotAllowed},
		"events":                   {ua.NewExtensionObject(&ua.EventFilter{}), number, onValue, filter{}, ua.StatusBadMonitoredItemFilterUnsupported},
		"aggregates":               {ua.NewExtensionObject(&ua.AggregateFilter{}), number, onValue, filter{}, ua.StatusBadMonitoredItemFilterUnsupported},
		"no filter at all":         {ua.NewExtensionObject(&ua.ReadValueID{}), number, onValue, filter{}, ua.StatusBadMonitoredItemFilterInvalid},
		"of a type nobody knows": {&ua.ExtensionObject{TypeID: ua.NewFourByteExpandedNodeID(0, 4711)}, number, onValue, filter{},
			ua.StatusBadMonitoredItemFilterInvalid},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, status := readFilter(test.filter, test.node, test.attribute)
			assert.Equal(t, test.status, status)
			assert.Equal(t, test.want, got)
		})
	}
}

func TestNumbersHaveDeadbands(t *testing.T) {
	for _, n := range []uint32{id.SByte, id.Byte, id.Int16, id.UInt64, id.Float, id.Double, id.Number, id.Integer, id.UInteger, id.Duration} {
		assert.True(t, isNumber(ua.NewNumericNodeID(0, n)), n)
	}
	for _, n := range []uint32{id.Boolean, id.String, id.DateTime, id.ByteString, id.BaseDataType, id.Enumeration} {
		assert.False(t, isNumber(ua.NewNumericNodeID(0, n)), n)
	}
	assert.False(t, isNumber(nil))
}

func TestFiltersPassWhatIsNew(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	of := func(v any) *ua.DataValue {
		return &ua.DataValue{Value: ua.MustVariant(v), SourceTimestamp: noon}
	}
	later := func(v *ua.DataValue) *ua.DataValue { v.SourceTimestamp = noon.Add(1); return v }
	bad := func(v *ua.DataValue) *ua.DataValue { v.Status = ua.StatusBad; return v }
	none := &ua.DataValue{SourceTimestamp: noon}
	onStatus := filter{trigger: ua.DataChangeTriggerStatus}
	onTime := filter{trigger: ua.DataChangeTriggerStatusValueTimestamp}
	band := filter{ua.DataChangeTriggerStatusValue, 2}
	nan, inf := math.NaN(), math.Inf(1)
	tests := map[string]struct {
		filter    filter
		last, now *ua.DataValue
		want      bool
	}{
		"same":                     {anyChange, of(1.0), of(1.0), false},
		"other value":              {anyChange, of(1.0), of(1.5), true},
		"other time":               {anyChange, of(1.0), later(of(1.0)), false},
		"other status":             {anyChange, of(1.0), bad(of(1.0)), true},
		"other type":               {anyChange, of(int32(1)), of(int64(1)), true},
		"no value":                 {anyChange, of(1.0), none, true},
		"no value twice":           {anyChange, none, none, false},
		"NaN twice":                {anyChange, of(nan), of(nan), false},
		"text":                     {anyChange, of("a"), of("b"), true},
		"same array":               {anyChange, of([]int32{1, 2}), of([]int32{1, 2}), false},
		"other array":              {anyChange, of([]int32{1, 2}), of([]int32{1, 3}), true},
		"status only":              {onStatus, of(1.0), of(2.0), false},
		"status, and it changed":   {onStatus, of(1.0), bad(of(1.0)), true},
		"time":                     {onTime, of(1.0), later(of(1.0)), true},
		"time, and the same":       {onTime, of(1.0), of(1.0), false},
		"time, and another value":  {onTime, of(1.0), of(2.0), true},
		"within":                   {band, of(1.0), of(2.5), false},
		"at the edge":              {band, of(1.0), of(3.0), false},
		"beyond":                   {band, of(1.0), of(3.1), true},
		"below":                    {band, of(1.0), of(-1.1), true},
		"within, but Bad":          {band, of(1.0), bad(of(2.0)), true},
		"within, at another time":  {filter{onTime.trigger, 2}, of(1.0), later(of(2.0)), false},
		"integers":                 {band, of(int64(math.MinInt64)), of(int64(math.MaxInt64)), true},
		"unsigned below":           {band, of(uint8(3)), of(uint8(0)), true},
		"unsigned within":          {band, of(uint8(2)), of(uint8(0)), false},
		"NaN comes":                {band, of(1.0), of(nan), true},
		"NaN goes":                 {band, of(nan), of(1.0), true},
		"NaN stays":                {band, of(nan), of(nan), false},
		"infinity stays":           {band, of(inf), of(inf), false},
		"infinity turns":           {band, of(inf), of(-inf), true},
		"no value, band":           {band, of(1.0), none, true},
		"one element beyond":       {band, of([]int32{1, 2, 3}), of([]int32{1, 2, 6}), true},
		"all elements within":      {band, of([]int32{1, 2, 3}), of([]int32{3, 4, 5}), false},
		"longer":                   {band, of([]int32{1}), of([]int32{1, 1}), true},
		"scalar becomes array":     {band, of(int32(1)), of([]int32{1}), true},
		"array becomes scalar":     {band, of([]int32{1}), of(int32(1)), true},
		"type changes within":      {band, of(int32(1)), of(1.0), true},
		"part of what is no array": {band, of("a"), of("b"), true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, test.want, test.filter.passes(test.last, test.now))
		})
	}
}
