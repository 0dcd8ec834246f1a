// Node-RED as it comes, but for its editor, and for what listens beyond this machine.
module.exports = {
  uiHost: "127.0.0.1",
  httpAdminRoot: false,
  httpNodeRoot: "/",
  functionExternalModules: true,
  logging: { console: { level: "info", metrics: false, audit: false } },
};
