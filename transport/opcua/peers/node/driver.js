"use strict";
// A client of node-opcua on a string: it carries out commands that come on standard input, one
// JSON object a line, {"id", "do", …}, and answers each with {"id", "result"} or {"id", "error"}
// on standard output. What happens by itself is {"event", …}. It ends with its standard input.

for (const say of ["log", "info", "warn", "debug"]) console[say] = console.error; // standard output is ours

const opcua = require("node-opcua-client");
const types = require("node-opcua-types");
const { OPCUACertificateManager } = require("node-opcua-certificate-manager");
const { ClientSecureChannelLayer } = require("node-opcua-secure-channel");
const { getStatusCodeFromCode } = require("node-opcua-status-code");
const { fromJSON, toJSON } = require("./values");

ClientSecureChannelLayer.minTransactionTimeout = 1; // else every TimeoutHint below 5 s becomes 5 s

const clients = new Map(); // by name: { client, session, secret, sawSecret }
const managers = new Map(); // by folder
const pending = new Map(); // requests that have no response yet, by command id

const write = (message) => process.stdout.write(JSON.stringify(message) + "\n");

// manager keeps the client's certificate, which it makes if there is none, and trusts any server.
function manager(folder) {
  if (!managers.has(folder)) {
    const m = new OPCUACertificateManager({ rootFolder: folder, automaticallyAcceptUnknownCertificate: true });
    managers.set(folder, m.initialize().then(() => m));
  }
  return managers.get(folder);
}

function identity({ user, password }) {
  if (!user) return { type: opcua.UserTokenType.Anonymous };
  return { type: opcua.UserTokenType.UserName, userName: user, password };
}

function newClient(o, certificates) {
  return opcua.OPCUAClient.create({
    applicationName: "flowsync peer",
    applicationUri: "urn:flowsync:peer",
    connectionStrategy: { maxRetry: o.reconnect ? 100 : 0, initialDelay: 10, maxDelay: 50 },
    transportSettings: o.buffer ? { sendBufferSize: o.buffer, receiveBufferSize: o.buffer } : undefined,
    securityMode: opcua.MessageSecurityMode[o.mode],
    securityPolicy: opcua.SecurityPolicy[o.policy],
    clientCertificateManager: certificates,
    serverCertificate: o.serverCertificate ? Buffer.from(o.serverCertificate, "base64") : undefined,
    endpointMustExist: false,
    keepSessionAlive: false,
    defaultSecureTokenLifetime: o.lifetime || 600000,
    defaultTransactionTimeout: o.hint || 15000,
    requestedSessionTimeout: 60000,
  });
}

// tokenOf is the authentication token of a client's session, or the one that is spelled out.
function tokenOf(name) {
  if (name.includes("=")) return opcua.coerceNodeId(name);
  return clients.get(name)?.session?.authenticationToken || opcua.NodeId.nullNodeId;
}

const commands = {
  // certificate makes the client's certificate and returns its file.
  async certificate({ pki }) {
    const client = newClient({}, await manager(pki));
    await client.createDefaultCertificate();
    return client.certificateFile;
  },

  // connect opens a channel, and a session unless it is told not to. With a server certificate
  // it does so at once; without one node-opcua looks for the endpoint first. An error has the
  // status of the server's Error message, if there was one.
  async connect(o) {
    const client = newClient(o, await manager(o.pki));
    const c = { client, secret: o.password && Buffer.from(o.password), sawSecret: false };
    client.on("security_token_renewed", () => write({ event: "renewed", client: o.client }));
    let refusal;
    client.on("secure_channel_created", (channel) => {
      channel.on("receive_chunk", (chunk) => {
        if (chunk.toString("latin1", 0, 3) === "ERR") refusal = getStatusCodeFromCode(chunk.readUInt32LE(8));
      });
    });
    client.on("send_chunk", (chunk) => (c.sawSecret ||= Boolean(c.secret) && chunk.includes(c.secret)));
    try {
      await client.connect(o.url);
      if (!o.channelOnly) c.session = await client.createSession2(identity(o));
    } catch (err) {
      await client.disconnect().catch(() => {});
      throw Object.assign(err, { refusal });
    }
    clients.set(o.client, c);
    return { sawSecret: c.sawSecret, sessionId: toJSON(c.session?.sessionId) };
  },

  async endpoints({ client }) {
    return toJSON(await clients.get(client).client.getEndpoints());
  },

  // request sends one service request as it is told to, with the session's token, with that of
  // another client's session, or without one, and returns the response as it came.
  request({ id, client, service, fields, hint, token, diagnostics }) {
    const { client: sender } = clients.get(client);
    const request = new types[service + "Request"](fromJSON(fields));
    request.requestHeader.timeoutHint = hint || 0;
    request.requestHeader.returnDiagnostics = diagnostics || 0;
    request.requestHeader.authenticationToken = tokenOf(token || client);
    pending.set(id, request);
    return new Promise((resolve, reject) => {
      sender.performMessageTransaction(request, (err, response) => {
        pending.delete(id);
        if (err && !err.response) return reject(err);
        resolve(toJSON(response || err.response));
      });
    });
  },

  // cancel sends a Cancel for the request of another command.
  cancel({ id, client, of }) {
    const { requestHandle } = pending.get(of).requestHeader;
    return commands.request({ id, client, service: "Cancel", fields: { requestHandle } });
  },

  // crawl browses everything below a node with the session's own browse and browseNext, and
  // returns each reference once, in words.
  async crawl({ client, node, max }) {
    const { session } = clients.get(client);
    const found = new Set();
    const seen = new Set([node]);
    let continued = 0;
    session.requestedMaxReferencesPerNode = max;
    for (const from of seen) {
      let result = await session.browse({ nodeId: from, browseDirection: 0, includeSubtypes: true, resultMask: 63, referenceTypeId: "References" });
      for (;;) {
        if (!result.statusCode.isGood()) throw new Error(`browse of ${from}: ${result.statusCode.name}`);
        if (max && result.references.length > max) throw new Error(`browse of ${from}: ${result.references.length} references at once`);
        for (const r of result.references) {
          const to = r.nodeId.toString();
          const line = `${from} ${r.referenceTypeId} ${to} ${r.browseName} ${r.displayName.text} ${r.nodeClass} ${r.typeDefinition}`;
          if (found.has(line)) throw new Error(`twice: ${line}`);
          found.add(line);
          seen.add(to);
        }
        if (!result.continuationPoint?.length) break;
        continued++;
        result = await session.browseNext(result.continuationPoint, false);
      }
    }
    return { references: [...found], continued };
  },

  // subscribe monitors the values of nodes with a subscription that the client keeps alive by
  // itself. Notifications come as events.
  async subscribe({ client, interval, keepAliveCount, nodes }) {
    const { session } = clients.get(client);
    const subscription = await session.createSubscription2({
      requestedPublishingInterval: interval,
      requestedLifetimeCount: 1000,
      requestedMaxKeepAliveCount: keepAliveCount,
      publishingEnabled: true,
    });
    subscription.on("keepalive", () => write({ event: "keepalive", client }));
    for (const node of nodes) {
      // monitor() would return the item only after its first values may have come.
      const item = opcua.ClientMonitoredItem.create(
        subscription,
        { nodeId: node, attributeId: opcua.AttributeIds.Value },
        { samplingInterval: 0, discardOldest: true, queueSize: 10 },
        opcua.TimestampsToReturn.Both,
      );
      item.on("changed", (value) => {
        const { subscriptionId } = subscription;
        write({ event: "changed", client, node, value: toJSON(value), subscriptionId, session: toJSON(session.sessionId) });
      });
      await new Promise((resolve, reject) => {
        item.on("initialized", resolve);
        item.on("err", (message) => reject(new Error(message)));
      });
    }
    return { subscriptionId: subscription.subscriptionId };
  },

  // namespaces and arguments are what a client looks up before it calls a method.
  async namespaces({ client }) {
    return clients.get(client).session.readNamespaceArray();
  },

  async arguments({ client, method }) {
    return toJSON(await clients.get(client).session.getArgumentDefinition(method));
  },

  // tear ends the connection below the client, which does not know why.
  async tear({ client }) {
    clients.get(client).client._secureChannel.forceConnectionBreak();
  },

  async close({ client }) {
    const c = clients.get(client);
    clients.delete(client);
    if (c.session) await c.session.close(true);
    await c.client.disconnect();
  },

  // cut tears the connection, without a word to the server.
  async cut({ client }) {
    const c = clients.get(client);
    clients.delete(client);
    c.client._secureChannel?.getTransport()?._socket?.destroy(); // unless the server was faster
    await c.client.disconnect();
  },
};

async function carryOut(line) {
  const command = JSON.parse(line);
  try {
    write({ id: command.id, result: (await commands[command.do](command)) ?? null });
  } catch (err) {
    const status = err.response?.responseHeader?.serviceResult || err.refusal;
    write({ id: command.id, error: { message: String(err.message), status: status ? status.name : "" } });
  }
}

// A response that nobody waits for makes node-opcua throw: the test must know.
process.on("uncaughtException", (err) => write({ event: "fault", message: String(err.stack) }));
process.on("unhandledRejection", (err) => write({ event: "fault", message: String(err?.stack || err) }));

const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", carryOut);
lines.on("close", () => process.exit(0));
write({ event: "ready" });
