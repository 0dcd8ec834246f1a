package space

import (
	"time"

	"github.com/gopcua/opcua/ua"
)

// Info is what the standard nodes tell about the server.
type Info struct {
	ApplicationURI string // also namespace 1
	ProductURI     string
	ProductName    string
	Manufacturer   string
	Version        string
	Started        time.Time // zero: now

	// Capabilities, in their own units; 0: not stated, the property is left out (mandatory ones
	// say 0).
	MaxSessions, MaxArrayLength, MaxStringLength, MaxByteStringLength uint32
	MaxBrowseContinuationPoints                                       uint16
	MaxNodesPerRead, MaxNodesPerWrite, MaxNodesPerMethodCall          uint32
	MaxNodesPerBrowse, MaxNodesPerTranslate, MaxMonitoredItemsPerCall uint32
	MaxNodesPerRegister                                               uint32
	MaxSubscriptions, MaxSubscriptionsPerSession                      uint32
	MaxMonitoredItems, MaxMonitoredItemsPerSubscription               uint32
	MaxMonitoredItemsQueueSize                                        uint32
	MinSupportedSampleRate                                            float64 // ms

	Policies []string // URIs of the security policies, told as profiles
}

// Profiles that are told in ServerProfileArray, besides the security policies.
const (
	profileBinary  = "http://opcfoundation.org/UA-Profile/Transport/uatcp-uasc-uabinary"
	profileMethods = "http://opcfoundation.org/UA-Profile/Server/Methods"
)

func (i *Info) profiles() []string {
	return append([]string{profileBinary, profileMethods}, i.Policies...)
}

func (i *Info) build() *ua.BuildInfo {
	return &ua.BuildInfo{
		ProductURI:       i.ProductURI,
		ManufacturerName: i.Manufacturer,
		ProductName:      i.ProductName,
		SoftwareVersion:  i.Version,
	}
}
