package subscription

import (
	"time"

	"github.com/gopcua/opcua/ua"

	"github.com/flowsync-go/flowsync/transport/opcua/internal/space"
	"github.com/flowsync-go/flowsync/transport/opcua/internal/value"
)

// createItem makes an item (5.13.2), or says why not. The lock of the subscription must be held.
func (s *subscription) createItem(r *ua.MonitoredItemCreateRequest, timestamps ua.TimestampsToReturn, now time.Time) *ua.MonitoredItemCreateResult {
	refuse := func(status ua.StatusCode) *ua.MonitoredItemCreateResult {
		return &ua.MonitoredItemCreateResult{StatusCode: status, FilterResult: ua.NewExtensionObject(nil)}
	}
	if r == nil || r.ItemToMonitor == nil || r.RequestedParameters == nil {
		return refuse(ua.StatusBadStructureMissing)
	}
	if r.MonitoringMode > ua.MonitoringModeReporting {
		return refuse(ua.StatusBadMonitoringModeInvalid)
	}
	it, status := s.find(r.ItemToMonitor, r.RequestedParameters.Filter)
	if status != ua.StatusOK {
		return refuse(status)
	}
	if len(s.items) >= s.manager.options.MaxItemsPerSubscription || !s.manager.items.reserve(1) {
		return refuse(ua.StatusBadTooManyMonitoredItems)
	}
	s.lastItem++
	it.id = s.lastItem
	s.set(it, r.RequestedParameters, timestamps, it.filter)
	s.items[it.id] = it
	if it.clocked {
		s.clocked[it.id] = it
	}
	if r.MonitoringMode != ua.MonitoringModeDisabled {
		it.enable(r.MonitoringMode, now)
	}
	return &ua.MonitoredItemCreateResult{
		MonitoredItemID:         it.id,
		RevisedSamplingInterval: toMilliseconds(it.interval),
		RevisedQueueSize:        uint32(it.queue.size),
		FilterResult:            ua.NewExtensionObject(nil),
	}
}

// find looks what is to be monitored up, and checks it and the filter.
func (s *subscription) find(r *ua.ReadValueID, x *ua.ExtensionObject) (*item, ua.StatusCode) {
	if r.NodeID == nil {
		return nil, ua.StatusBadNodeIDInvalid
	}
	node := s.samples.space.Find(r.NodeID)
	if node == nil {
		return nil, ua.StatusBadNodeIDUnknown
	}
	part, status := value.ParseRange(r.IndexRange)
	if status != ua.StatusOK {
		return nil, status
	}
	if status := s.refused(node, r); status != ua.StatusOK {
		return nil, status
	}
	if r.AttributeID == ua.AttributeIDEventNotifier {
		// It means events, which need an EventFilter; there are none here.
		return nil, ua.StatusBadMonitoredItemFilterUnsupported
	}
	f, status := readFilter(x, node, r.AttributeID)
	if status != ua.StatusOK {
		return nil, status
	}
	return &item{
		node: node, attribute: r.AttributeID, part: part, all: &s.samples, filter: f, sampled: true,
		clocked: r.AttributeID == ua.AttributeIDValue && node.Live(), queue: queue{bytes: &s.manager.queuedBytes},
	}, ua.StatusOK
}

// refused tells what is wrong with a request from what a Read of the same says. All else that
// can be Bad is a value like others, which may become Good.
func (s *subscription) refused(node *space.Node, r *ua.ReadValueID) ua.StatusCode {
	status := s.samples.space.Read(r, ua.TimestampsToReturnNeither).Status
	switch status {
	case ua.StatusBadAttributeIDInvalid, ua.StatusBadDataEncodingInvalid, ua.StatusBadDataEncodingUnsupported:
		if v := node.Load(); v == nil || v.Status != status { // else it is the value that is so
			return status
		}
	}
	return ua.StatusOK
}

// set gives an item the parameters of a Create or Modify request, revised. The lock of the
// subscription must be held.
func (s *subscription) set(it *item, p *ua.MonitoringParameters, timestamps ua.TimestampsToReturn, f filter) {
	interval := sampling(p.SamplingInterval, s.interval, fastest(it.node))
	if it.clocked {
		interval = max(interval, s.interval, minClocked)
	}
	size := s.queueSize(it, p.QueueSize)
	now := time.Now()

	s.samples.mu.Lock()
	defer s.samples.mu.Unlock()
	it.handle, it.timestamps, it.filter, it.interval = p.ClientHandle, timestamps, f, interval
	it.queue.resize(size, p.DiscardOldest)
	switch {
	case it.sampled:
	case interval == 0:
		it.take(it.held, now)
	default:
		it.due = s.samples.instant(now, interval)
	}
}

// fastest is the node's own minimum sampling interval; unknown (-1) is none.
func fastest(n *space.Node) time.Duration { return milliseconds(n.MinSampling, 0, maxSampling) }

// queueSize revises a queue size. When the queues of all items have become too large, there is
// room for one sample only.
func (s *subscription) queueSize(it *item, asked uint32) int {
	size := int(min(max(asked, 1), uint32(s.manager.options.MaxQueueSize)))
	s.manager.queued.release(max(it.queue.size-1, 0))
	if !s.manager.queued.reserve(size - 1) {
		return 1
	}
	return size
}

// modifyItem changes parameters (5.13.3). What was queued stays, if it fits.
func (s *subscription) modifyItem(r *ua.MonitoredItemModifyRequest, timestamps ua.TimestampsToReturn) *ua.MonitoredItemModifyResult {
	result := &ua.MonitoredItemModifyResult{FilterResult: ua.NewExtensionObject(nil)}
	if r == nil || r.RequestedParameters == nil {
		result.StatusCode = ua.StatusBadStructureMissing
		return result
	}
	it := s.items[r.MonitoredItemID]
	if it == nil {
		result.StatusCode = ua.StatusBadMonitoredItemIDInvalid
		return result
	}
	f, status := readFilter(r.RequestedParameters.Filter, it.node, it.attribute)
	if status != ua.StatusOK {
		result.StatusCode = status
		return result
	}
	s.set(it, r.RequestedParameters, timestamps, f)
	result.RevisedSamplingInterval = toMilliseconds(it.interval)
	result.RevisedQueueSize = uint32(it.queue.size)
	return result
}

// deleteItem ends an item (5.13.6).
func (s *subscription) deleteItem(id uint32) ua.StatusCode {
	it := s.items[id]
	if it == nil {
		return ua.StatusBadMonitoredItemIDInvalid
	}
	s.end(it)
	return ua.StatusOK
}

func (s *subscription) end(it *item) {
	delete(s.items, it.id)
	delete(s.clocked, it.id)
	s.manager.items.release(1)
	s.manager.queued.release(it.queue.size - 1)
	it.disable()
}

// setMode changes a monitoring mode (5.13.4).
func (s *subscription) setMode(id uint32, mode ua.MonitoringMode, now time.Time) ua.StatusCode {
	it := s.items[id]
	switch {
	case it == nil:
		return ua.StatusBadMonitoredItemIDInvalid
	case it.mode == mode:
	case mode == ua.MonitoringModeDisabled:
		it.disable()
	case it.mode == ua.MonitoringModeDisabled:
		it.enable(mode, now)
	default:
		s.samples.mu.Lock()
		it.mode = mode
		s.samples.report(it)
		s.samples.mu.Unlock()
	}
	return ua.StatusOK
}
