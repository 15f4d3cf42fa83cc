// Comfort for the explorer's pages, which work without it: suggestions while typing, open filters
// on wide screens, empty fields left out of addresses.
"use strict";

const field = document.querySelector("input[data-suggest]");
if (field) {
  const list = document.createElement("ul");
  list.className = "suggestions";
  list.id = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", field.form.querySelector("label").textContent);
  field.after(list);
  field.setAttribute("role", "combobox");
  field.setAttribute("aria-autocomplete", "list");
  field.setAttribute("aria-controls", list.id);
  field.setAttribute("aria-expanded", "false");
  const plurals = { actor: "actors", network: "networks", project: "projects", event: "events", region: "regions", topic: "topics" };
  const names = {};
  for (const tab of document.querySelectorAll(".tabs a[data-kind]")) names[tab.dataset.kind] = tab.firstChild.textContent.trim();
  let timer, asked = 0, chosen = -1;

  const close = () => {
    list.hidden = true;
    chosen = -1;
    field.setAttribute("aria-expanded", "false");
    field.removeAttribute("aria-activedescendant");
  };
  const choose = (at) => {
    const options = list.children;
    if (options[chosen]) options[chosen].setAttribute("aria-selected", "false");
    chosen = at < -1 ? options.length - 1 : at >= options.length ? -1 : at;
    if (options[chosen]) {
      options[chosen].setAttribute("aria-selected", "true");
      options[chosen].scrollIntoView({ block: "nearest" });
      field.setAttribute("aria-activedescendant", options[chosen].id);
    } else field.removeAttribute("aria-activedescendant");
  };
  const show = (items) => {
    list.replaceChildren(...items.map((item, at) => {
      const option = document.createElement("li");
      option.id = `suggestion-${at}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      const about = document.createElement("small");
      about.textContent = [names[item.kind], item.place].filter(Boolean).join(", ");
      option.append(item.label, about);
      option.dataset.page = `${field.dataset.pages.replace(/\/$/, "")}/${plurals[item.kind]}/${item.id}`;
      option.addEventListener("mousedown", (event) => { event.preventDefault(); location.assign(option.dataset.page); });
      return option;
    }));
    list.hidden = items.length === 0;
    chosen = -1;
    field.setAttribute("aria-expanded", String(items.length > 0));
  };
  field.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const number = ++asked, typed = field.value.trim();
      if (!typed) return close();
      const answer = await fetch(`${field.dataset.suggest}&limit=8&q=${encodeURIComponent(typed)}`).catch(() => null);
      // Answers may arrive in another order.
      if (answer?.ok && number === asked && document.activeElement === field) show((await answer.json()).items);
    }, 120);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" && !list.hidden) choose(chosen + 1);
    else if (event.key === "ArrowUp" && !list.hidden) choose(chosen - 1);
    else if (event.key === "Enter" && list.children[chosen]) location.assign(list.children[chosen].dataset.page);
    else if (event.key === "Escape" && !list.hidden) close();
    else return;
    event.preventDefault();
  });
  field.addEventListener("blur", close);
}

const filters = document.querySelector("details.filters");
if (filters) {
  const wide = matchMedia("(min-width: 60rem)");
  const set = () => { filters.open = wide.matches; };
  wide.addEventListener("change", set);
  set();
}

for (const form of document.querySelectorAll("form[method=get]"))
  form.addEventListener("submit", () => {
    for (const one of form.elements) if (one.name && !one.value && one.type !== "hidden") one.disabled = true;
  });
addEventListener("pageshow", () => {
  for (const one of document.querySelectorAll("form[method=get] [disabled]")) one.disabled = false;
});

const diagram = document.querySelector(".diagram");
if (diagram) diagram.scrollLeft = (diagram.scrollWidth - diagram.clientWidth) / 2;
