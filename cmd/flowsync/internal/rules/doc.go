// Package rules runs the rules of a commissioning file over messages.
//
// A [Pipeline] is a list of rules, compiled once by [Compile]; a message goes through them
// from top to bottom. Rules in a mapping may keep state between messages, hold messages
// back and let them go later ([Pipeline.Start]). Rules on a transaction turn one message
// into one message, at once ([Pipeline.Apply]).
//
// # The rules
//
//	parse:          {format: utf8}                 bytes that are not JSON become a JSON value
//	filter:         {expression: temperature > 85} goes on unchanged, or is dropped
//	transform:      {expression: '{"value": $.v}'} is replaced by the result
//	setContextVars: {vars: {line: $.line}}         $context.vars.line, and {line} in topics
//	stash:          {label: previous}              kept for $last("previous") in the next message
//	cov:            {key: t, deadband: 0.5, deadbandMode: absolute}
//	                                               goes on if the value changed enough
//	burst:          {interval: 2000, maxSize: 10}  several messages become one array
//	collect:        {}                             the latest message of every source, as one object
//
// The names of rules and properties, and what they do, are those documented for Cybus
// Connectware. Where its documentation is silent, this is what happens here:
//
//   - An expression without a result (JSONata: undefined) drops the message: filter as
//     false, transform as nothing to send. A variable of setContextVars is then not set.
//   - filter takes anything that is not a boolean as $boolean() does.
//   - The variables of one setContextVars are evaluated independently of each other.
//   - $last gives what was stashed by an earlier message, also after a stash of the present
//     one, and null before the first. A stash counts even when a later rule drops the message.
//     It belongs to the pipeline: all messages of a mapping share it, whatever their topic.
//   - cov remembers the last message that passed for each topic. A change of exactly the
//     deadband passes; relative is per cent of the value that passed last. What is not a
//     number passes when it differs. key is a member name, or names joined by dots. A
//     message without that member is an error, not a silent drop.
//   - burst gives the messages as they arrived. With neither interval nor maxSize they go
//     through unaffected. A burst is sent early, before it exceeds [MaxPayload], and when the
//     run is closed.
//   - collect names a source by its label, and without one by the topic it arrived on, so
//     that the messages of a wildcard subscription do not overwrite each other.
//   - parse ascii always gives a string. Formats of a fixed width read the first bytes and
//     ignore the rest.
//
// # Values
//
// A message that no rule rewrites leaves byte for byte as it came. Otherwise it is JSON
// written anew: members sorted by name, no white space, no HTML escaping. Numbers are
// float64 in expressions: exact for integers to ±2^53. A larger integer that fits 64 bits
// keeps all its digits as long as the expression only copies it. Functions and operators that
// compute with it, or that make a copy of an object to change it (|…|…|), round it to a
// float64, and so is an integer beyond 64 bits. $keys are sorted; the order in which *, **,
// $each, $sift and $spread visit the members of an object is undefined.
//
// # JSONata
//
// Expressions are run by blues/jsonata-go 1.5.4, with these defences, each with a test:
//
//   - Its built-in functions keep the context of a call in package-global state, so that
//     evaluations of unrelated expressions mix up each other's data, without an error. One
//     lock for the whole process is held for every compilation and evaluation; a message
//     holds it for its whole way through the rules. This bounds all rules together to one
//     core: a message of 350 bytes costs some 20 µs a transform (BenchmarkApply).
//   - It reads JSON null as undefined, and a member that is null would vanish: nulls are
//     handed to it in the form in which it keeps its own. =, != and in are ours, since its own
//     do not find null equal to null everywhere.
//   - It takes an empty array at the end of a path for undefined, so that {"value": $.value}
//     would lose it, and fails on arrays in arrays: we walk along member names ourselves.
//     In {"all": $} it makes an array of $: objects are ours, too.
//   - Every evaluation of "x ~> $f(y)" adds another argument to the call in its syntax tree,
//     so the second message fails. The tree is rewritten to $f(x, y) once. A function without
//     its first argument that is called again in its own arguments gets the wrong context:
//     such calls are wrapped.
//   - It has no comments: they are blanked out before it sees them. It lacks $eval,
//     $assert and $parseInteger, the parent operator %, and the bindings @ and #, and takes
//     some of these for names: they are refused with their position, as is every function
//     that does not exist.
//   - $string and & escape <, > and & inside objects: replaced.
//   - A recursion without end would end the process (Go cannot recover from a stack
//     overflow), a large range or $pad would take its memory. The syntax tree is rewritten
//     to count: function calls, array elements made by ranges, and computed path steps cost
//     from a budget of [MaxSteps] for one evaluation, and the depth of the stack is measured on
//     the way. Values are at most 128 levels deep and [MaxPayload] bytes long. Regular
//     expressions are RE2, linear in their input.
//   - It never ends reading ! or ~ in the signature of a function: signatures are checked before.
//   - A panic inside it becomes an error.
//
// What remains possible is an expression that is merely slow: rules are written by the
// operator, and a slow one delays every other. Nothing can interrupt it before its budget
// is spent, which takes about a second.
//
// # Who owns what
//
// A Pipeline is immutable and safe for concurrent use; what its transactions stash is
// guarded by the lock. A [Run] is safe for concurrent use and has no goroutine; a timer runs
// while a burst is held. Payloads are read during the call and never kept or changed;
// a result may be the very slice that came in.
package rules
