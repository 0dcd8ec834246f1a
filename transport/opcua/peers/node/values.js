"use strict";
// Between JSON and the objects of node-opcua. A Variant is {"@": "<built-in type>", "value": …},
// an array if its value is one; a structure in an ExtensionObject is {"@struct": "<name>", …}.
// 64-bit integers, NaN and Infinity are strings, a ByteString is base64, a StatusCode its name.

const opcua = require("node-opcua-client");
const { DataType, Variant, VariantArrayType } = opcua;

const half = 1n << 32n;

function halves(text) {
  const n = BigInt.asUintN(64, BigInt(text));
  return [Number(n / half), Number(n % half)];
}

function whole([high, low], signed) {
  const n = BigInt(high >>> 0) * half + BigInt(low >>> 0);
  return (signed ? BigInt.asIntN(64, n) : n).toString();
}

const incoming = {
  Int64: halves,
  UInt64: halves,
  Float: Number,
  Double: Number,
  DateTime: (text) => new Date(text),
  ByteString: (text) => Buffer.from(text, "base64"),
  LocalizedText: (text) => ({ text }),
  QualifiedName: (name) => ({ namespaceIndex: 0, name }),
  NodeId: (text) => opcua.coerceNodeId(text),
};

const outgoing = {
  Int64: (v) => whole(v, true),
  UInt64: (v) => whole(v, false),
  LocalizedText: (v) => v.text,
  QualifiedName: (v) => v.name,
};

function variant({ "@": type, value }) {
  const one = incoming[type] || ((v) => v);
  const each = (v) => (v === null ? null : one(v));
  return new Variant({
    dataType: DataType[type],
    arrayType: Array.isArray(value) ? VariantArrayType.Array : VariantArrayType.Scalar,
    value: Array.isArray(value) ? value.map(each) : each(value),
  });
}

// fromJSON makes constructor options of what a test has sent.
function fromJSON(x) {
  if (Array.isArray(x)) return x.map(fromJSON);
  if (x === null || typeof x !== "object") return x;
  if ("@" in x) return variant(x);
  const fields = {};
  for (const [name, value] of Object.entries(x)) {
    if (name !== "@struct") fields[name] = fromJSON(value);
  }
  return "@struct" in x ? new opcua[x["@struct"]](fields) : fields;
}

function plainVariant(v) {
  const type = DataType[v.dataType];
  const one = (value) => (value === null || value === undefined ? null : (outgoing[type] || toJSON)(value));
  const list = v.arrayType !== VariantArrayType.Scalar;
  return { "@": type, value: list && v.value ? Array.from(v.value, one) : one(v.value) };
}

// toJSON makes plain data of a response.
function toJSON(x) {
  if (x === null || x === undefined) return null;
  if (typeof x === "number") return Number.isFinite(x) ? x : String(x);
  if (typeof x !== "object") return typeof x === "function" ? undefined : x;
  if (x instanceof Variant) return plainVariant(x);
  if (x instanceof opcua.StatusCode) return x.name;
  if (x instanceof opcua.NodeId) return x.toString();
  if (x instanceof Date) return x.toISOString();
  if (Buffer.isBuffer(x)) return x.toString("base64");
  if (Array.isArray(x) || ArrayBuffer.isView(x)) return Array.from(x, toJSON);
  return Object.fromEntries(
    Object.entries(x)
      .filter(([name]) => !/^[_$]|^schema$/.test(name))
      .map(([name, value]) => [name, toJSON(value)]),
  );
}

module.exports = { fromJSON, toJSON };
