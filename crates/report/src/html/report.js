// Makes the page better where scripts run: zoom of the pictures, filter of the findings. The page is whole without it.
// It takes nothing from evidence as markup: text goes in by textContent only.
"use strict";
(() => {
  const HOUR = 3600, DAY = 86400;
  const SCALE = [1, 5, 15, 60, 300, 900, HOUR, 3 * HOUR, 6 * HOUR, 12 * HOUR, DAY, 2 * DAY, 7 * DAY, 14 * DAY, 30 * DAY, 90 * DAY, 365 * DAY];
  const LINES_MAX = 9, SPAN_MIN = 60;
  const iso = (seconds) => new Date(seconds * 1000).toISOString();
  const short = (seconds) => iso(seconds).slice(0, 19).replace("T", " ") + "Z";

  const picture = (figure) => {
    const number = (name) => Number(figure.dataset[name]);
    const whole = [number("from"), number("to")], acts = [number("shownFrom"), number("shownTo")];
    let shown = acts.slice();
    const box = figure.querySelector(".picture"), range = figure.querySelector(".range");
    const scale = figure.querySelector(".scale .track");
    const percent = (time) => ((time - shown[0]) * 100) / Math.max(shown[1] - shown[0], 1);

    const draw = () => {
      for (const mark of box.querySelectorAll("i[data-from]")) {
        const from = Number(mark.dataset.from), to = Number(mark.dataset.to);
        const outside = to < shown[0] || from > shown[1];
        mark.style.display = outside ? "none" : "";
        if (outside) continue;
        const left = Math.max(percent(from), 0);
        mark.style.left = left + "%";
        mark.style.width = Math.min(percent(to), 100) - left + "%";
      }
      const length = shown[1] - shown[0];
      const step = SCALE.find((one) => length / one < LINES_MAX) || SCALE[SCALE.length - 1];
      scale.textContent = "";
      for (let line = Math.floor(shown[0] / step) * step + step; line <= shown[1]; line += step) {
        const tick = document.createElement("span");
        tick.className = "tick";
        tick.style.left = percent(line) + "%";
        tick.textContent = step < DAY ? (step < 60 ? short(line).slice(5, 19) : short(line).slice(5, 16)) : short(line).slice(0, 10);
        scale.append(tick);
      }
      const all = shown[0] === whole[0] && shown[1] === whole[1] ? "" : ", of " + short(whole[0]) + " … " + short(whole[1]);
      range.textContent = short(shown[0]) + " … " + short(shown[1]) + all;
    };
    const show = (from, to) => {
      const length = Math.min(Math.max(to - from, SPAN_MIN), Math.max(whole[1] - whole[0], SPAN_MIN));
      const start = Math.min(Math.max(from, whole[0]), Math.max(whole[1] - length, whole[0]));
      shown = [Math.round(start), Math.round(start + length)];
      draw();
    };
    // Keeps `at` in its place while the time around it grows or shrinks.
    const zoom = (factor, at) => show(at - (at - shown[0]) * factor, at + (shown[1] - at) * factor);
    const middle = () => (shown[0] + shown[1]) / 2;
    const move = (part) => show(shown[0] + (shown[1] - shown[0]) * part, shown[1] + (shown[1] - shown[0]) * part);
    const actions = new Map([
      ["+", ["Zoom in (+)", () => zoom(0.5, middle())]],
      ["-", ["Zoom out (−)", () => zoom(2, middle())]],
      ["ArrowLeft", ["Earlier (←)", () => move(-0.25)]],
      ["ArrowRight", ["Later (→)", () => move(0.25)]],
      ["0", ["What was done (0)", () => show(acts[0], acts[1])]],
      ["a", ["All (a)", () => show(whole[0], whole[1])]],
    ]);
    const bar = document.createElement("p");
    bar.className = "zoom";
    for (const [name, run] of actions.values()) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = name;
      button.addEventListener("click", run);
      bar.append(button);
    }
    box.before(bar);
    box.tabIndex = 0;
    box.addEventListener("keydown", (event) => {
      const action = actions.get(event.key === "=" ? "+" : event.key);
      if (!action || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      action[1]();
    });
    box.addEventListener("click", (event) => {
      const edges = scale.getBoundingClientRect();
      if (event.clientX < edges.left || edges.width === 0) return;
      const at = shown[0] + ((event.clientX - edges.left) / edges.width) * (shown[1] - shown[0]);
      zoom(event.shiftKey ? 2 : 0.5, at);
    });
  };

  const filter = (form) => {
    const rows = [...document.querySelectorAll("#findings tbody[data-level]")];
    const count = form.querySelector("output");
    const texts = new Map();
    const textOf = (row) => {
      if (!texts.has(row)) texts.set(row, row.textContent.toLowerCase());
      return texts.get(row);
    };
    const options = (name, values) => {
      const select = form.elements[name];
      for (const value of [...new Set(values)].filter(Boolean).sort()) select.append(new Option(value, value));
    };
    options("host", rows.map((row) => row.dataset.host));
    options("intrusion", rows.map((row) => row.dataset.intrusion));
    options("technique", rows.flatMap((row) => row.dataset.techniques.split(" ")));
    const apply = () => {
      const wanted = (name) => form.elements[name].value;
      const words = wanted("text").toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of rows) {
        const one = row.dataset;
        const fits =
          (!wanted("level") || one.level === wanted("level")) &&
          (!wanted("host") || one.host === wanted("host")) &&
          (!wanted("intrusion") || one.intrusion === wanted("intrusion")) &&
          (!wanted("technique") || one.techniques.split(" ").some((own) => own === wanted("technique") || own.startsWith(wanted("technique") + "."))) &&
          words.every((word) => textOf(row).includes(word));
        row.hidden = !fits;
        shown += fits ? 1 : 0;
      }
      count.textContent = shown + " of " + rows.length + " shown";
    };
    form.hidden = false;
    form.addEventListener("input", apply);
    form.addEventListener("reset", () => setTimeout(apply));
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
    // A technique leads to its findings, not to the first of them only.
    for (const link of document.querySelectorAll("a[data-technique]")) {
      const fits = [...form.elements.technique.options].some((one) => one.value === link.dataset.technique);
      if (fits)
        link.addEventListener("click", (event) => {
          event.preventDefault();
          form.reset();
          setTimeout(() => {
            form.elements.technique.value = link.dataset.technique;
            apply();
            form.scrollIntoView();
            form.elements.technique.focus({ preventScroll: true });
          });
        });
    }
    // A link to a finding that the filter hides shows it.
    window.addEventListener("hashchange", () => {
      const row = document.getElementById(location.hash.slice(1));
      if (row && row.hidden) {
        form.reset();
        setTimeout(() => row.scrollIntoView());
      }
    });
  };

  // The steps go to the clipboard, or are marked for the reader to take.
  const copy = (text) => {
    const button = document.createElement("button"), said = document.createElement("output");
    button.type = "button";
    button.textContent = "Copy these steps";
    button.addEventListener("click", () => {
      text.closest("details").open = true;
      const range = document.createRange();
      range.selectNodeContents(text);
      const selection = window.getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
      let done = false;
      try {
        done = document.execCommand("copy");
      } catch {
        done = false;
      }
      said.textContent = done ? " Copied." : " Marked: copy with Ctrl+C.";
    });
    const line = document.createElement("p");
    line.append(button, said);
    text.closest("details").before(line);
  };
  // What a link leads to is shown: unfolded, and in a voice that has it.
  const reveal = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!target) return;
    for (let one = target.closest("details"); one; one = one.parentElement.closest("details")) one.open = true;
    const both = document.getElementById("voice-both");
    if (both && target.closest("main > section") && target.getClientRects().length === 0) both.checked = true;
    target.scrollIntoView();
  };
  window.addEventListener("hashchange", reveal);
  // A finding opens where its row is clicked, too, unless somebody marks text or follows a link.
  document.addEventListener("click", (event) => {
    const row = event.target.closest && event.target.closest("#findings tbody[data-level] > tr:first-child");
    if (!row || event.target.closest("a") || String(window.getSelection())) return;
    const more = row.parentElement.querySelector("details");
    more.open = !more.open;
  });

  // Paper cannot be unfolded; records and rules would fill it by the thousand.
  window.addEventListener("beforeprint", () => document.querySelectorAll("details:not(.deep)").forEach((one) => (one.open = true)));
  document.querySelectorAll("figure.lanes").forEach(picture);
  const form = document.getElementById("filter");
  if (form) filter(form);
  const steps = document.getElementById("next-text");
  if (steps) copy(steps);
  reveal();
})();
