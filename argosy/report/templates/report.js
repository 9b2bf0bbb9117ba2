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
// On a narrow screen the middle of a wide graph says more than its left edge.
document.querySelectorAll("figure .scroll").forEach((box) => { box.scrollLeft = (box.scrollWidth - box.clientWidth) / 2; });
// A closed part would be missing on paper.
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((part) => { part.open = true; }));
