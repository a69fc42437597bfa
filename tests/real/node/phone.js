// A phone made with @xmpp/client. Registers, then answers every push; writes JSON lines to stdout:
// {"online": jid}, {"endpoint": url, "expiration": time}, {"push": id, "payload": base64}, ...
// Configuration is one JSON object in the environment variable PHONE:
// {"service", "domain", "username", "password", "resource", "component", "application", "instance"}
// It logs out and ends when its stdin is closed.

import { webcrypto } from "node:crypto";

import { client, xml } from "@xmpp/client";

globalThis.crypto ??= webcrypto; // Debian 12 has Node 18, where it is not yet global

const PUSH = "http://gultsch.de/xmpp/drafts/unified-push";
const phone = JSON.parse(process.env.PHONE);
const say = (line) => console.log(JSON.stringify(line));

const { service, domain, username, password, resource } = phone;
const xmpp = client({ service, domain, resource, credentials: plainLogin });
xmpp.reconnect.stop();

// Without TLS the library would refuse PLAIN by itself; this is loopback.
async function plainLogin(authenticate) {
  await authenticate({ username, password }, "PLAIN");
}

xmpp.on("error", (error) => say({ error: String(error) }));

xmpp.on("online", async (address) => {
  say({ online: address.toString() });
  await xmpp.send(xml("presence"));
  await xmpp.send(xml("presence", { to: phone.component }));
  const { application, instance } = phone;
  const register = xml("register", { xmlns: PUSH, application, instance });
  const iq = xml("iq", { type: "set", to: phone.component }, register);
  const { attrs } = (await xmpp.iqCaller.request(iq)).getChild("registered", PUSH);
  say({ endpoint: attrs.endpoint, expiration: attrs.expiration });
});

xmpp.iqCallee.set(PUSH, "push", (context) => {
  say({
    push: context.id,
    from: context.from.toString(),
    payload: context.element.text(),
    application: context.element.attrs.application,
    instance: context.element.attrs.instance,
  });
  return true; // an empty result
});

process.stdin.on("end", async () => {
  await xmpp.stop();
  process.exit(0);
});
process.stdin.resume();
await xmpp.start();
