"use strict";
const root = document.documentElement;
const button = document.getElementById("theme");
const asked = /theme=(light|dark)/.exec(location.hash);
if (asked) root.dataset.theme = asked[1];
const isDark = () =>
  (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
const relabel = () => { button.textContent = isDark() ? "Light" : "Dark"; };
button.hidden = false;
button.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  relabel();
});
relabel();
// A closed part would be missing on paper.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
