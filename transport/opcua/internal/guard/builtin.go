package guard

import "github.com/gopcua/opcua/ua"

// mask reads the byte that says which fields follow.
func (w *walker) mask(known byte) (byte, bool) {
	mask, ok := w.uint8()
	if ok && mask&^known != 0 {
		return 0, w.malformed("an encoding mask 0x%02x with unknown bits", mask)
	}
	return mask, ok
}

// localizedText reads a LocalizedText, OPC 10000-6, 5.2.2.14.
func (w *walker) localizedText() bool {
	if !w.keep(sizeLocalizedText) {
		return false
	}
	mask, ok := w.mask(ua.LocalizedTextLocale | ua.LocalizedTextText)
	if ok && mask&ua.LocalizedTextLocale != 0 {
		ok = w.string()
	}
	if ok && mask&ua.LocalizedTextText != 0 {
		ok = w.string()
	}
	return ok
}

// dataValue reads a DataValue, OPC 10000-6, 5.2.2.17. The codec makes a Variant also for one
// without a value.
func (w *walker) dataValue() bool {
	if !w.keep(sizeDataValue) {
		return false
	}
	mask, ok := w.mask(0x3f)
	if !ok {
		return false
	}
	if mask&ua.DataValueValue == 0 {
		if !w.keep(sizeVariant) {
			return false
		}
	} else if !w.nested(variant) {
		return w.in("Value")
	}
	return w.skip(size(mask, ua.DataValueStatusCode, 4) +
		size(mask, ua.DataValueSourceTimestamp, 8) + size(mask, ua.DataValueSourcePicoseconds, 2) +
		size(mask, ua.DataValueServerTimestamp, 8) + size(mask, ua.DataValueServerPicoseconds, 2))
}

// size is that of a field if the mask has it.
func size(mask, field byte, bytes int) int {
	if mask&field != 0 {
		return bytes
	}
	return 0
}

// diagnosticInfo reads a DiagnosticInfo, OPC 10000-6, 5.2.2.12.
func (w *walker) diagnosticInfo() bool {
	if !w.keep(sizeDiagnosticInfo) {
		return false
	}
	mask, ok := w.mask(0x7f)
	if !ok || !w.skip(size(mask, ua.DiagnosticInfoSymbolicID, 4)+size(mask, ua.DiagnosticInfoNamespaceURI, 4)+
		size(mask, ua.DiagnosticInfoLocale, 4)+size(mask, ua.DiagnosticInfoLocalizedText, 4)) {
		return false
	}
	if mask&ua.DiagnosticInfoAdditionalInfo != 0 && !w.string() {
		return w.in("AdditionalInfo")
	}
	if !w.skip(size(mask, ua.DiagnosticInfoInnerStatusCode, 4)) {
		return false
	}
	if mask&ua.DiagnosticInfoInnerDiagnosticInfo != 0 && !w.nested(diagnosticInfo) {
		return w.in("InnerDiagnosticInfo")
	}
	return true
}
