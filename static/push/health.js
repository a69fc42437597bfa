// The proxy, seen from outside: does PUBLIC_URL/push/ answer as an application server needs it?
"use strict";
(async () => {
  const item = document.getElementById("proxy");
  const show = (state, text, fix) => {
    item.classList.add(state);
    const pill = item.querySelector(".pill");
    pill.textContent = state;
    pill.className = `pill ${{ ok: "good", warning: "wait", bad: "bad" }[state]}`;
    item.querySelector("p").textContent = text;
    if (fix) {
      item.querySelector(".fix").hidden = false;
      item.querySelector(".fix span").textContent = fix;
    }
  };
  const wanted = item.dataset.public;
  if (new URL(wanted).origin !== location.origin) {
    show("warning", `You opened this page at ${location.origin}, not at PUBLIC_URL (${wanted}), so it cannot be checked from here.`, "Open the admin at PUBLIC_URL.");
    return;
  }
  try {
    const answer = await fetch(`${wanted}/push/self-check`, { redirect: "manual", credentials: "omit" });
    const json = answer.status === 200 ? await answer.json() : {};
    if (json.unifiedpush && json.unifiedpush.version === 1) {
      show("ok", `${wanted}/push/ answers as application servers expect.`);
    } else {
      show("bad", `${wanted}/push/ answers ${answer.status || "with a redirect"}, not as an application server expects.`, "The reverse proxy must pass /push/ on as it is: no redirect, no rewriting, no login. deploy/ has examples.");
    }
  } catch {
    show("bad", `${wanted}/push/ does not answer.`, "Does the reverse proxy pass /push/ on? deploy/ has examples.");
  }
})();
