// Lists on a phone: which cells are the second and third line of a row; and the folded filter.
"use strict";
(() => {
  const LINES = { account: ["seen", "endpoints"], registration: ["user", "last_push"], message: ["user", "accepted"] };
  const model = [...document.body.classList].find((name) => name.startsWith("model-"));
  const list = document.getElementById("changelist");
  const lines = LINES[(model || "").slice("model-".length)];
  if (list && lines) {
    list.classList.add("rows");
    list.classList.toggle("bare", !list.querySelector(".action-checkbox"));
    lines.forEach((field, index) => {
      const label = list.querySelector(`thead .column-${field}`);
      for (const cell of list.querySelectorAll(`td.field-${field}`)) {
        cell.classList.add(index ? "third" : "second");
        if (label && field !== "user") cell.dataset.label = label.textContent.trim().toLowerCase();
      }
    });
  }
  const filter = document.getElementById("changelist-filter");
  const head = document.getElementById("changelist-filter-header");
  if (filter && head) {
    const button = document.createElement("button");
    button.type = "button";
    const inForce = filter.querySelector("#changelist-filter-extra-actions") ? " (in force)" : "";
    const phone = window.matchMedia("(max-width: 767px)");
    const draw = () => {
      const open = filter.classList.contains("open");
      button.textContent = phone.matches ? `${open ? "▼" : "▶"} Filter${inForce}` : "Filter";
      if (phone.matches) button.setAttribute("aria-expanded", String(open));
      else button.removeAttribute("aria-expanded");
    };
    button.addEventListener("click", () => { filter.classList.toggle("open"); draw(); });
    phone.addEventListener("change", draw);
    draw();
    head.replaceChildren(button);
  }
})();
