// Owns what pages gain when scripts run. Every page works without this file; nothing here decides anything.
(function () {
  "use strict";

  // Show or hide the password.
  document.querySelectorAll("[data-reveal]").forEach(function (button) {
    const field = document.getElementById(button.dataset.reveal);
    const words = button.querySelector("span");
    button.hidden = false;
    button.addEventListener("click", function () {
      const shown = field.type === "password";
      field.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      words.textContent = shown ? button.dataset.hide : button.dataset.show;
      field.focus();
    });
    // A password in clear must not reach the browser's memory of typed texts.
    field.form.addEventListener("submit", function () { field.type = "password"; });
  });

  // An answer on its way to a service: nobody has to press the button.
  document.querySelectorAll("form[data-send]").forEach(function (form) { form.submit(); });

  // Services in frames are being told that this login is over. Some answer, on a page of ours in their frame.
  const patience = 5000;
  let awaited = 0;
  const afterVerdict = [];
  document.querySelectorAll("[data-asked]").forEach(function (item) {
    const frame = document.getElementById(item.dataset.asked);
    let known = false;
    function show(state) {
      if (known) { return; }
      known = true;
      item.querySelectorAll("[data-state]").forEach(function (one) { one.hidden = one.dataset.state !== state; });
      awaited -= 1;
      if (awaited === 0) { afterVerdict.forEach(function (then) { then(); }); }
    }
    function look() {
      const page = frame.contentDocument; // null while the frame is another site's
      const verdict = page && page.querySelector("[data-verdict]");
      if (verdict) { show(verdict.dataset.verdict); }
    }
    awaited += 1;
    frame.addEventListener("load", look);
    setTimeout(function () { show("not-over"); }, patience);
    look();
  });

  // Go on when the last one has answered, or enough was waited.
  document.querySelectorAll("a[data-after-frames]").forEach(function (link) {
    let gone = false;
    let loaded = document.readyState === "complete";
    function go() {
      if (!gone) { gone = true; window.location.replace(link.href); }
    }
    function goWhenDone() {
      if (loaded && awaited === 0) { go(); }
    }
    afterVerdict.push(goWhenDone);
    window.addEventListener("load", function () { loaded = true; goWhenDone(); });
    setTimeout(go, Number(link.dataset.afterFrames) * 1000);
    goWhenDone();
  });

  document.querySelectorAll("[data-print]").forEach(function (button) {
    button.hidden = false;
    button.addEventListener("click", function () { window.print(); });
  });

  // Count the wait down; then show the way on, and take it where the page says so.
  document.querySelectorAll("[data-countdown]").forEach(function (counter) {
    const end = Date.now() + Number(counter.dataset.countdown) * 1000;
    const after = document.querySelector("[data-after-countdown]");
    counter.hidden = false;
    if (after) { after.hidden = true; }
    const timer = setInterval(function () {
      const left = Math.max(0, Math.ceil((end - Date.now()) / 1000));
      counter.textContent = left;
      if (left > 0) { return; }
      clearInterval(timer);
      counter.hidden = true;
      if (after) { after.hidden = false; }
      if (counter.dataset.next) { window.location.assign(counter.dataset.next); }
    }, 250);
  });

  // Picture code: the first three pictures stay on the page, the fourth sends the form.
  const form = document.getElementById("pictures");
  if (!form) { return; }
  const squares = Array.from(document.getElementById("squares").children);
  const progress = document.getElementById("progress");
  const again = document.getElementById("again");
  const list = form.elements.namedItem("picked");
  let picked = [];
  let sent = false;

  function show() {
    squares.forEach(function (square, index) { square.classList.toggle("reached", index < picked.length); });
    squares[0].parentElement.classList.remove("shake");
    progress.textContent = picked.length < squares.length
      ? progress.dataset.words.replace("{n}", picked.length)
      : progress.dataset.sending;
    list.value = picked.slice(0, squares.length - 1).join(",");
  }

  // Back and forward bring the page back with its fields: a child starts afresh.
  window.addEventListener("pageshow", function (event) {
    if (event.persisted) { picked = []; sent = false; form.removeAttribute("aria-busy"); show(); }
  });
  if (list.value) { picked = list.defaultValue.split(",").filter(Boolean); show(); }

  form.addEventListener("submit", function (event) {
    const button = event.submitter;
    if (sent || !button) { event.preventDefault(); return; }
    picked.push(button.value);
    show();
    button.classList.remove("tapped");
    void button.offsetWidth; // restarts the animation when one picture is tapped twice
    button.classList.add("tapped");
    if (picked.length < squares.length) { event.preventDefault(); return; }
    sent = true;
    form.setAttribute("aria-busy", "true");
  });

  again.addEventListener("click", function (event) {
    event.preventDefault();
    if (sent) { return; }
    picked = [];
    show();
    form.querySelector("button").focus({ preventScroll: true });
  });
}());
