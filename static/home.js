// The copy button: only where the browser lets a page copy.
"use strict";
(() => {
  const button = document.getElementById("copy");
  const jid = document.getElementById("jid").textContent;
  if (!navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(jid);
      document.getElementById("copied").textContent = "Copied.";
    } catch {
      document.getElementById("copied").textContent = "Please select and copy it.";
    }
  });
})();
