/* Thumbs with a comment below an answer, for any web page. No dependencies, no cookies, nothing stored.

   <script src="https://lab.example.com/api/v1/widget.js" data-key="fl_..." defer></script>
   <div data-feedback-lab="ID-OF-THE-INTERACTION"></div>

   The key has the scope public-write and names the origins of your pages. Elements that come later are found, too.
   data-user on the element says who speaks; data-texts on the script is JSON with words of your own. */
(function () {
  "use strict";

  var script = document.currentScript;
  var api = new URL("feedback", script.src).href;
  var key = script.dataset.key || "";
  var texts = Object.assign(
    {
      group: "Was this answer helpful?",
      up: "Helpful",
      down: "Not helpful",
      comment: "What could be better? (optional)",
      send: "Send",
      sending: "Sending…",
      thanks: "Thank you.",
      failed: "That could not be sent. Press again to retry.",
      refused: "That could not be sent."
    },
    JSON.parse(script.dataset.texts || "{}")
  );
  /* Without weight, so that any rule of the page wins; as a sheet of the script, so that no policy of the page minds. */
  var LOOK = [
    ":where([data-feedback-lab]) { display: flex; flex-wrap: wrap; align-items: center; gap: .5rem }",
    ":where([data-feedback-lab] :is(button, textarea)) { font: inherit; color: inherit; background: transparent;",
    "  border: 1px solid #8889; border-radius: .5rem; padding: .25rem .6rem; box-sizing: border-box }",
    ":where([data-feedback-lab] button) { min-width: 2.5rem; min-height: 2.25rem; cursor: pointer }",
    ":where([data-feedback-lab] button[aria-pressed=true]) { background: #6366f133; border-color: #6366f1;",
    "  box-shadow: inset 0 0 0 1px #6366f1 }",
    ":where([data-feedback-lab] form:not([hidden])) { flex-basis: 100%; display: grid; gap: .5rem; justify-items: start }",
    ":where([data-feedback-lab] label) { width: 100% }",
    ":where([data-feedback-lab] textarea) { display: block; width: 100%; margin-top: .25rem }"
  ].join("\n");
  var MOST_CHARACTERS = 10000;
  var widgets = [];

  /* A UUIDv7. crypto.randomUUID exists on secure pages only. */
  function newId() {
    var bytes = crypto.getRandomValues(new Uint8Array(16));
    var time = Date.now();
    for (var place = 5; place >= 0; place -= 1) {
      bytes[place] = time % 256;
      time = Math.floor(time / 256);
    }
    bytes[6] = (bytes[6] & 15) | 112;
    bytes[8] = (bytes[8] & 63) | 128;
    var hex = Array.from(bytes, function (byte) { return byte.toString(16).padStart(2, "0"); }).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  function element(name, properties, children) {
    var made = Object.assign(document.createElement(name), properties);
    (children || []).forEach(function (child) { made.append(child); });
    return made;
  }

  function pause(seconds) {
    return new Promise(function (done) { setTimeout(done, seconds * 1000); });
  }

  /* Resolves when it is stored; rejects with {final: true} when asking again would change nothing. */
  function ask(request, again) {
    return fetch(request.url, {
      method: request.method,
      headers: { "Authorization": "Bearer " + key, "Content-Type": "application/json" },
      body: JSON.stringify(request.body),
      mode: "cors",
      credentials: "omit",
      referrerPolicy: "no-referrer",
      keepalive: true
    }).then(
      function (answer) {
        if (answer.ok) { return null; }
        var passing = answer.status >= 500 || answer.status === 429 || answer.status === 408;
        if (!passing) { throw { final: true }; }
        return again ? later(request, Number(answer.headers.get("Retry-After")) || 0) : Promise.reject({});
      },
      function () { return again ? later(request, 0) : Promise.reject({}); }
    );
  }

  function later(request, atLeast) {
    return pause(Math.min(Math.max(atLeast, 0.5 + Math.random()), 30)).then(function () { return ask(request, false); });
  }

  function Widget(place) {
    this.place = place;
    this.feedbackId = newId();
    this.value = null;
    this.comment = "";
    this.waiting = [];   // what is not stored yet, in order; kept in memory only
    this.busy = false;
    this.build();
  }

  Widget.prototype.build = function () {
    var self = this;
    this.up = this.thumb("\u{1F44D}", texts.up, 1);
    this.down = this.thumb("\u{1F44E}", texts.down, -1);
    this.field = element("textarea", { rows: 2, maxLength: MOST_CHARACTERS });
    this.form = element("form", { hidden: true }, [
      element("label", {}, [texts.comment, this.field]),
      element("button", { type: "submit", textContent: texts.send })
    ]);
    this.form.addEventListener("submit", function (event) {
      event.preventDefault();
      self.say();
    });
    this.status = element("span", {});
    this.status.setAttribute("role", "status");
    this.place.setAttribute("role", "group");
    this.place.setAttribute("aria-label", texts.group);
    this.place.replaceChildren(this.up, this.down, this.status, this.form);
  };

  Widget.prototype.thumb = function (sign, label, value) {
    var self = this;
    var button = element("button", { type: "button", textContent: sign, title: label });
    button.setAttribute("aria-label", label);
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", function () { self.vote(value); });
    return button;
  };

  Widget.prototype.vote = function (value) {
    if (value !== this.value) {
      this.queue(this.value === null ? "POST" : "PATCH", { value: value });
      this.value = value;
      this.up.setAttribute("aria-pressed", String(value === 1));
      this.down.setAttribute("aria-pressed", String(value === -1));
      this.form.hidden = false;
    }
    this.send();
  };

  Widget.prototype.say = function () {
    var comment = this.field.value.trim();
    if (comment && comment !== this.comment) {
      this.comment = comment;
      this.queue("PATCH", { comment: comment });
    }
    this.send();
  };

  Widget.prototype.queue = function (method, body) {
    body.created_at = new Date().toISOString();
    if (method === "POST") {
      body.feedback_id = this.feedbackId;
      body.interaction_id = this.place.dataset.feedbackLab;
      if (this.place.dataset.user) { body.user = this.place.dataset.user; }
    }
    var url = method === "POST" ? api : api + "/" + this.feedbackId;
    this.waiting.push({ method: method, url: url, body: body });
  };

  Widget.prototype.send = function () {
    var self = this;
    if (this.busy || !this.waiting.length) { return; }
    this.busy = true;
    this.status.textContent = texts.sending;
    ask(this.waiting[0], true).then(
      function () {
        self.waiting.shift();
        self.busy = false;
        self.status.textContent = texts.thanks;
        self.send();
      },
      function (trouble) {
        if (trouble.final) { self.waiting = []; }
        self.busy = false;
        self.status.textContent = trouble.final ? texts.refused : texts.failed;
      }
    );
  };

  function mountAll() {
    widgets = widgets.filter(function (widget) { return widget.place.isConnected || widget.waiting.length; });
    document.querySelectorAll("[data-feedback-lab]:not([role=group])").forEach(function (place) {
      widgets.push(new Widget(place));
    });
  }

  function start() {
    var sheet = new CSSStyleSheet();
    sheet.replaceSync(LOOK);
    document.adoptedStyleSheets = document.adoptedStyleSheets.concat(sheet);
    mountAll();
    new MutationObserver(mountAll).observe(document.body, { childList: true, subtree: true });
  }

  window.addEventListener("online", function () {
    widgets.forEach(function (widget) { widget.send(); });
  });
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", start); } else { start(); }
})();
