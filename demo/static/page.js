// Keeps the thread up to date without touching what the reader is doing: only pieces that changed are
// replaced, and never the comment box.
"use strict";

const here = document.body.dataset.here;
const box = document.getElementById("body");
const form = document.getElementById("new-comment");
const stateForm = document.getElementById("state-form");
const posts = document.getElementById("posts");
const trouble = document.getElementById("trouble");
const calm = matchMedia("(prefers-reduced-motion: reduce)");
const shown = new Map();
let filled = "";

function live() {
  const source = new EventSource(`${here}/live`);
  let isFirst = true;
  source.onmessage = (event) => {
    update(JSON.parse(event.data), isFirst);
    isFirst = false;
  };
}

function update(now, isFirst) {
  document.title = now.title;
  replaceIfNew("header", document.getElementById("header"), now.header, isFirst);
  replaceIfNew("sidebar", document.getElementById("sidebar"), now.sidebar, isFirst);
  const isOpen = now.state === "open";
  document.getElementById("state-button").textContent = isOpen ? "Close issue" : "Reopen issue";
  document.getElementById("state-value").value = isOpen ? "closed" : "open";
  const ids = new Set(now.posts.map((post) => post.id));
  for (const old of [...posts.children]) if (!ids.has(old.id)) old.remove();
  for (const post of now.posts) updatePost(post, isFirst);
  relativeTimes();
}

function replaceIfNew(key, element, html, isFirst) {
  if (shown.get(key) === html) return;
  shown.set(key, html);
  if (!isFirst) element.innerHTML = html;
}

function updatePost(post, isFirst) {
  if (shown.get(post.id) === post.html) return;
  const isKnown = shown.has(post.id);
  shown.set(post.id, post.html);
  const present = document.getElementById(post.id);
  if (present && isFirst) return enableBoxes(present);
  const fresh = new DOMParser().parseFromString(post.html, "text/html").body.firstElementChild;
  enableBoxes(fresh);
  if (present) {
    keepFolds(present, fresh);
    present.replaceWith(fresh);
    return;
  }
  posts.append(fresh);
  if (isFirst || isKnown) return;
  fresh.classList.add("new");
  document.getElementById("news").textContent = `${post.author} commented`;
  if (post.is_bot) bringIntoView(fresh);
}

function keepFolds(from, to) {
  const open = from.querySelectorAll("details");
  to.querySelectorAll("details").forEach((fold, index) => {
    if (open[index]) fold.open = open[index].open && !fold.classList.contains("edit");
  });
}

function enableBoxes(post) {
  for (const box of post.querySelectorAll("[data-box]")) {
    box.disabled = false;
    box.addEventListener("change", () => tick(post, box));
  }
}

async function tick(post, box) {
  box.disabled = true;
  const fields = { position: box.dataset.box, ticked: box.checked ? "yes" : "no" };
  const comment = post.id.replace("issuecomment-", "");
  if (await sendForm(`${here}/comments/${comment}/boxes`, fields)) return;
  box.checked = !box.checked;
  box.disabled = false;
}

function bringIntoView(post) {
  const scroll = () => {
    const block = post.offsetHeight > innerHeight ? "start" : "nearest";
    post.scrollIntoView({ block, behavior: calm.matches ? "auto" : "smooth" });
  };
  scroll();
  for (const image of post.querySelectorAll("img")) image.addEventListener("load", scroll, { once: true });
}

async function send(event) {
  event.preventDefault();
  const target = event.target;
  if (target === form && !box.value.trim()) return;
  const buttons = document.querySelectorAll(".buttons button");
  buttons.forEach((button) => (button.disabled = true));
  if ((await sendForm(target.action, new FormData(target))) && target === form) {
    box.value = "";
    filled = "";
  }
  buttons.forEach((button) => (button.disabled = false));
  if (target === form) box.focus({ preventScroll: true });
}

async function sendForm(action, fields) {
  try {
    const answer = await fetch(action, {
      method: "POST",
      body: new URLSearchParams(fields),
      headers: { "X-Requested-By": "page" },
    });
    if (!answer.ok) throw new Error(`The page's server answered ${answer.status}.`);
    trouble.hidden = true;
    return true;
  } catch (error) {
    trouble.textContent = `That was not sent: ${error.message}`;
    trouble.hidden = false;
    return false;
  }
}

function fill(text) {
  const isOwnText = box.value.trim() && box.value !== filled;
  box.value = isOwnText ? `${box.value.trimEnd()}\n${text}` : text;
  filled = isOwnText ? "" : text;
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

function relativeTimes() {
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });
  for (const time of document.querySelectorAll("time")) {
    const at = new Date(time.dateTime);
    const seconds = Math.round((at - Date.now()) / 1000);
    const text = time.classList.contains("day") ? day.format(at) : inWords(words, day, at, seconds);
    if (time.textContent !== text) time.textContent = text;
    time.title = at.toLocaleString();
  }
}

function inWords(words, day, at, seconds) {
  const ago = Math.abs(seconds);
  if (ago < 45) return "now";
  if (ago < 2700) return words.format(Math.round(seconds / 60), "minute");
  if (ago < 79200) return words.format(Math.round(seconds / 3600), "hour");
  if (ago < 26 * 86400) return words.format(Math.round(seconds / 86400), "day");
  return `on ${day.format(at)}`;
}

form.addEventListener("submit", send);
stateForm.addEventListener("submit", send);
document.getElementById("viewer").addEventListener("change", (event) => event.target.form.submit());
posts.addEventListener("submit", (event) => {
  event.target.closest("details").open = false;
  send(event);
});
box.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
for (const button of document.querySelectorAll("[data-fill]")) {
  button.addEventListener("click", () => fill(button.dataset.fill));
}
relativeTimes();
setInterval(relativeTimes, 15000);
live();
