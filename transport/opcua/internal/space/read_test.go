package space

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/gopcua/opcua/id"
	"github.com/gopcua/opcua/ua"
	"github.com/stretchr/testify/assert"
)

func TestReadOfWhatCannotBeRead(t *testing.T) {
	s := plant(t)
	binary, xml, mine := &ua.QualifiedName{Name: "Default Binary"}, &ua.QualifiedName{Name: "Default XML"}, ownName("Default Binary")
	status := standardID(id.Server_ServerStatus)
	for name, c := range map[string]struct {
		item ua.ReadValueID
		want ua.StatusCode
	}{
		"unknown node":           {ua.ReadValueID{NodeID: own("nowhere"), AttributeID: 13}, ua.StatusBadNodeIDUnknown},
		"null node":              {ua.ReadValueID{NodeID: nullID, AttributeID: 13}, ua.StatusBadNodeIDUnknown},
		"no node":                {ua.ReadValueID{AttributeID: 13}, ua.StatusBadNodeIDUnknown},
		"unknown node first":     {ua.ReadValueID{NodeID: own("nowhere"), AttributeID: 99}, ua.StatusBadNodeIDUnknown},
		"no attribute":           {ua.ReadValueID{NodeID: status}, ua.StatusBadAttributeIDInvalid},
		"unknown attribute":      {ua.ReadValueID{NodeID: status, AttributeID: 1 << 31}, ua.StatusBadAttributeIDInvalid},
		"no value yet":           {ua.ReadValueID{NodeID: own("speed"), AttributeID: 13}, ua.StatusBadWaitingForInitialData},
		"no value yet, in part":  {ua.ReadValueID{NodeID: own("speed"), AttributeID: 13, IndexRange: "1"}, ua.StatusBadWaitingForInitialData},
		"range of nonsense":      {ua.ReadValueID{NodeID: own("list"), AttributeID: 13, IndexRange: "x"}, ua.StatusBadIndexRangeInvalid},
		"range of a name":        {ua.ReadValueID{NodeID: own("list"), AttributeID: 3, IndexRange: "0:1"}, ua.StatusBadIndexRangeNoData},
		"invalid range, name":    {ua.ReadValueID{NodeID: own("list"), AttributeID: 3, IndexRange: "2:1"}, ua.StatusBadIndexRangeInvalid},
		"range past the end":     {ua.ReadValueID{NodeID: standardID(id.Server_NamespaceArray), AttributeID: 13, IndexRange: "2"}, ua.StatusBadIndexRangeNoData},
		"encoding of a name":     {ua.ReadValueID{NodeID: status, AttributeID: 3, DataEncoding: binary}, ua.StatusBadDataEncodingInvalid},
		"encoding of a scalar":   {ua.ReadValueID{NodeID: own("speed"), AttributeID: 13, DataEncoding: binary}, ua.StatusBadDataEncodingInvalid},
		"XML of a structure":     {ua.ReadValueID{NodeID: status, AttributeID: 13, DataEncoding: xml}, ua.StatusBadDataEncodingUnsupported},
		"encoding of our own":    {ua.ReadValueID{NodeID: status, AttributeID: 13, DataEncoding: mine}, ua.StatusBadDataEncodingUnsupported},
		"unknown before invalid": {ua.ReadValueID{NodeID: own("speed"), AttributeID: 8, DataEncoding: binary, IndexRange: "x"}, ua.StatusBadAttributeIDInvalid},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.Read(&c.item, ua.TimestampsToReturnNeither)
			assert.Equal(t, &ua.DataValue{EncodingMask: ua.DataValueStatusCode, Status: c.want}, got)
		})
	}
}

func TestReadOfParts(t *testing.T) {
	s := plant(t)
	s.Find(own("list")).Store(&ua.DataValue{Value: ua.MustVariant([]int32{1, 2, 3})})
	for name, c := range map[string]struct {
		item ua.ReadValueID
		want any
	}{
		"one":                {ua.ReadValueID{NodeID: own("list"), AttributeID: 13, IndexRange: "1"}, []int32{2}},
		"some":               {ua.ReadValueID{NodeID: own("list"), AttributeID: 13, IndexRange: "1:2"}, []int32{2, 3}},
		"what there is":      {ua.ReadValueID{NodeID: own("list"), AttributeID: 13, IndexRange: "1:9"}, []int32{2, 3}},
		"of a text":          {ua.ReadValueID{NodeID: standardID(id.Server_ServerStatus_BuildInfo_ProductName), AttributeID: 13, IndexRange: "0:3"}, "flow"},
		"of another array":   {ua.ReadValueID{NodeID: own("list"), AttributeID: ua.AttributeIDArrayDimensions, IndexRange: "0"}, []uint32{0}},
		"no encoding either": {ua.ReadValueID{NodeID: own("list"), AttributeID: 13, DataEncoding: &ua.QualifiedName{}}, []int32{1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			got := s.Read(&c.item, ua.TimestampsToReturnNeither)
			assert.Equal(t, &ua.DataValue{EncodingMask: ua.DataValueValue, Value: ua.MustVariant(c.want)}, got)
		})
	}
	whole := s.Find(own("list")).Load()
	assert.Equal(t, []int32{1, 2, 3}, whole.Value.Value(), "the stored value stays whole")
}

func TestReadOfAPartOfTheArguments(t *testing.T) {
	s := plant(t)
	got := s.Read(&ua.ReadValueID{
		NodeID: own("start.InputArguments"), AttributeID: 13, IndexRange: "1",
		DataEncoding: &ua.QualifiedName{Name: "Default Binary"},
	}, ua.TimestampsToReturnNeither)
	assert.Equal(t, ua.StatusOK, got.Status)
	list := got.Value.Value().([]*ua.ExtensionObject)
	assert.Len(t, list, 1)
	assert.Equal(t, "sizes", list[0].Value.(*ua.Argument).Name)
}

func TestTimestampsAreThoseThatWereAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := plant(t)
		source := time.Now().Add(-time.Hour)
		s.Find(own("speed")).Store(&ua.DataValue{
			Value: ua.MustVariant(1.5), Status: ua.StatusUncertain, SourceTimestamp: source, SourcePicoseconds: 7,
			ServerTimestamp: source, ServerPicoseconds: 8,
		})
		value := &ua.ReadValueID{NodeID: own("speed"), AttributeID: ua.AttributeIDValue}
		name := &ua.ReadValueID{NodeID: own("speed"), AttributeID: ua.AttributeIDBrowseName}
		unknown := &ua.ReadValueID{NodeID: own("nowhere"), AttributeID: ua.AttributeIDValue}
		const v, st, src, srv, pico = ua.DataValueValue, ua.DataValueStatusCode, ua.DataValueSourceTimestamp,
			ua.DataValueServerTimestamp, ua.DataValueSourcePicoseconds
		for _, c := range []struct {
			timestamps                 ua.TimestampsToReturn
			ofValue, ofName, ofUnknown byte
		}{
			{ua.TimestampsToReturnSource, v | st | src | pico, v, st},
			{ua.TimestampsToReturnServer, v | st | srv, v | srv, st | srv},
			{ua.TimestampsToReturnBoth, v | st | src | pico | srv, v | srv, st | srv},
			{ua.TimestampsToReturnNeither, v | st, v, st},
		} {
			for item, want := range map[*ua.ReadValueID]byte{value: c.ofValue, name: c.ofName, unknown: c.ofUnknown} {
				got := s.Read(item, c.timestamps)
				assert.Equal(t, want, got.EncodingMask, "%v of %v", c.timestamps, item)
				if got.Has(ua.DataValueSourceTimestamp) {
					assert.Equal(t, source, got.SourceTimestamp)
				}
				if got.Has(ua.DataValueServerTimestamp) {
					assert.Equal(t, time.Now(), got.ServerTimestamp)
				}
			}
		}
	})
}

func TestWhatIsReadIsTheReaders(t *testing.T) {
	s := plant(t)
	s.Find(own("speed")).Store(&ua.DataValue{Value: ua.MustVariant(1.5)})
	item := &ua.ReadValueID{NodeID: own("speed"), AttributeID: ua.AttributeIDValue}
	s.Read(item, ua.TimestampsToReturnSource).Value = nil
	assert.Equal(t, 1.5, s.Read(item, ua.TimestampsToReturnSource).Value.Value())
}

func TestReadAllocatesLittle(t *testing.T) {
	s := plant(t)
	for name, c := range map[string]struct {
		id  *ua.NodeID
		max float64
	}{"numeric": {standardID(id.Server_ServiceLevel), 1}, "text": {own("speed"), 2}} {
		item := &ua.ReadValueID{NodeID: c.id, AttributeID: ua.AttributeIDValue}
		assert.LessOrEqual(t, testing.AllocsPerRun(100, func() { s.Read(item, ua.TimestampsToReturnBoth) }), c.max, name)
	}
}

func BenchmarkRead(b *testing.B) {
	s := plant(b)
	for name, nodeID := range map[string]*ua.NodeID{"numeric": standardID(id.Server_ServiceLevel), "text": own("speed")} {
		item := &ua.ReadValueID{NodeID: nodeID, AttributeID: ua.AttributeIDValue}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Read(item, ua.TimestampsToReturnBoth)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		New(testInfo())
	}
}
