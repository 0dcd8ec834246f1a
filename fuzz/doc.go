// Package fuzz holds the fuzz targets that look at flowsync from outside, each against a model
// that is slow and obvious: a list of transactions and whose turn it is for the engine, encoding/json
// for the codec. This page is also the list of the targets in all packages, and of what they found.
//
//	go test ./...                          # all seeds, as ordinary tests
//	make fuzz FUZZTIME=10m                 # every target for ten minutes
//	scripts/fuzz 10m 4                     # four at a time, with a table at the end
//	scripts/fuzz 1m 1 'mqtt.*FuzzTopic$'   # one of them
//	scripts/corpus                         # keeps of what fuzzing has gathered what reaches most
//
// # Targets
//
// What each is held against is said where it is; this is what a find would mean.
//
//	fuzz                      FuzzEngine         a transaction ends wrongly, twice, early, late or not at all
//	fuzz                      FuzzValidJSON      text that is no JSON goes out, or JSON is refused
//	fuzz                      FuzzAppendRequest  a request that responders cannot read
//	fuzz                      FuzzDecodeAnswer   an answer is read otherwise than it was meant
//	core                      FuzzWheel          a deadline is early, late or lost
//	core/idempotency          FuzzTable          a key publishes twice, or a reply is another's
//	cmd/…/journal             FuzzRecord         what was on disk is read otherwise after a crash
//	cmd/…/commission          FuzzLoad           a file ends the process, or is accepted and cannot be served
//	cmd/…/commission          FuzzEdits          the same, of files as people edit them
//	cmd/…/commission          FuzzOutlet         a mapping feeds itself, and nobody was told
//	cmd/…/rules               FuzzApply          rules change what they should pass on
//	cmd/…/rules               FuzzExpression     an expression takes the process along, or the next message
//	cmd/…/rules               FuzzScan           an expression is changed where comments are blanked out
//	transport/http            FuzzRawRequest     two servers see other requests in the same bytes (smuggling)
//	transport/http            FuzzRouter         a path means another route
//	transport/mqtt            FuzzTopic          a filter matches otherwise than the standard has it
//	transport/mqtt            FuzzRequest        a request on the wire that a broker ends the connection for
//	transport/mqtt            FuzzTimeLeft       a request is spoilt when its time is corrected
//	transport/mqtt            FuzzMessage        the same of any other message
//	transport/mqtt            FuzzDelivery       a PUBLISH is read otherwise than the standard has it
//	transport/mqtt            FuzzConn           packets run into each other
//	transport/mqtt            FuzzHostile        a broker ends the process, or has a request answered by another's answer
//	transport/mqtt/embedded   FuzzPackets        a client ends the process, or keeps others from being served
//	transport/mqtt/embedded   FuzzRouting        a message comes to somebody else, or not
//	transport/opcua           FuzzServer         a client ends the process, or keeps others from being served
//	transport/opcua/…/channel FuzzFrames         the same of a stranger
//	transport/opcua/…/guard   FuzzRequest        a body takes more memory than is promised
//	transport/opcua/…/guard   FuzzVariant        the same of a Variant
//	transport/opcua/…/pki     FuzzCheck          a certificate is trusted that nobody has trusted
//	transport/opcua/…/service FuzzHeader         what was checked is not what is read: the header
//	transport/opcua/…/service FuzzCall           the same of Calls
//	transport/opcua/…/service FuzzWriteValue     the same of Writes
//	transport/opcua/…/service FuzzMembers        an answer's outputs are read wrongly
//	transport/opcua/…/value   FuzzParse          a value changes on its way from JSON to OPC UA
//	transport/opcua/…/value   FuzzVariant        a value changes on its way from OPC UA to JSON
//	transport/opcua/…/value   FuzzRange          the wrong part of a value is read or written
//
// # Seeds
//
// Seeds are in the source, where they say what they are about, and in testdata/fuzz of each package.
// Those with names are finds: what found them is below, and they stay. Those named by 16 hexadecimal
// digits were kept by scripts/corpus because they reach what no other seed does; it replaces them.
// A new find gets such a name from go test: give it one that says what it is, and a line here.
//
// # Finds
//
//	date        target          seed                                what it was
//	2026-11-24  FuzzValidJSON   ends_after_point                    in the oracle: encoding/json points behind the end of "0."
//	2026-11-24  FuzzFrames      opn_with_huge_array                 the target ran without the guard: the codec made an array of 25 GB
//	2026-11-24  FuzzRouting     group_with_wildcard_in_front        mochi 2.7.9 gives topics with $ to $share/g/+: taken out again
//	2026-11-24  FuzzRouting     left out by func unheard            mochi 2.7.9 does not match a/b with a/+/#: who subscribes so is told
//	2026-11-24  FuzzOutlet      in the source                       {a/b} in the topic of a mapping was taken for two levels: it could feed itself unnoticed
//	2026-11-24  FuzzRawRequest  in the source                       in the oracle: net/http reads no further than to a target that it does not like
//	2026-11-24  FuzzTopic       in the source                       + and /# have the empty topic in common, which is none: of mqtt.Overlap, gone since
//	2026-11-24  FuzzHeader      additional_header_with_server_index a Call was read out of step with the guard, and could ask for 16 GiB
//	2026-11-24  FuzzRawRequest  head_without_host                   in the oracle: the refusal of a HEAD that cannot be read has content
//	2026-11-24  FuzzHostile     first_answer_says_dup               in the oracle: an answer of QoS 1 that says DUP may be the first
//	2026-11-24  FuzzFrames      body_of_three_bytes                 in the oracle: it did not know the largest message
//	2026-11-24  FuzzRouting     share_of_a_share                    mochi 2.7.9 takes $share/g/$share//+ for +: such a filter is refused
//	2026-11-24  FuzzWriteValue  object_without_body                 in the oracle: the codec reads an object without a body, and panics as it writes it
//	2026-11-25  FuzzServer      bystander_idle                      in the oracle: the session of the other client ended when the fuzzing paused for a second
//	2026-11-24  FuzzRecord      length_not_canonical                a length written with too many bytes was read, and not written again as it was: refused
//	2026-11-25  FuzzExpression  signature_without_end               jsonata-go 1.5.4 reads ! and ~ in a signature for ever: refused, with the place
//	2026-11-25  FuzzApply       range_too_large                     a result too large when it is written was refused without the place of its rule
package fuzz
