// Looks at reports as people do: in a browser, with a script and without, with the page's policy and without.
//
//   node check.mjs FOLDER
//
// FOLDER holds one folder for each report (`NAME/report.html`); `hostile` is made of text that wants to run, and
// `example` of the example. Prints a line for each check and ends with 1 when one failed.
import axe from "axe-core";
import { chromium } from "playwright-core";
import { existsSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2];
const failures = [];
let checks = 0;
const check = (name, holds, found = "") => {
  checks += 1;
  console.log(`${holds ? "ok  " : "FAIL"} ${name}${holds ? "" : `: ${found}`}`);
  if (!holds) failures.push(name);
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});

// Opens a page and notes whatever it does that a report must not do.
const open = async (file, { script = true, width = 1200, height = 900, policy = true, dark = false } = {}) => {
  const context = await browser.newContext({ javaScriptEnabled: script, viewport: { width, height }, reducedMotion: "reduce", colorScheme: dark ? "dark" : "light", bypassCSP: !policy });
  const page = await context.newPage();
  const noted = [];
  page.on("request", (request) => request.url().startsWith("file://") || noted.push(`asked for ${request.url()}`));
  page.on("dialog", (dialog) => { noted.push(`opened a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("pageerror", (error) => noted.push(`an error: ${error.message}`));
  page.on("console", (message) => message.type() === "error" && noted.push(`said: ${message.text()}`));
  page.on("popup", () => noted.push("opened a window"));
  await page.goto("file://" + file);
  return { page, noted, close: () => context.close() };
};

const reports = readdirSync(folder).sort();
for (const name of reports) {
  const file = join(folder, name, "report.html");

  for (const width of [360, 768, 1280]) {
    const { page, noted, close } = await open(file, { width });
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    check(`${name}: nothing stands out at ${width} pixels`, wide <= 0, `${wide} pixels`);
    check(`${name}: quiet at ${width} pixels`, noted.length === 0, noted.join("; "));
    await close();
  }

  for (const dark of [false, true]) {
    const { page, close } = await open(file, { dark, policy: false });
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
    await page.addScriptTag({ content: axe.source });
    const found = await page.evaluate(() => window.axe.run(document, { resultTypes: ["violations"] }));
    const serious = found.violations.filter((one) => ["serious", "critical"].includes(one.impact));
    const told = serious.map((one) => `${one.id} at ${one.nodes.slice(0, 3).map((node) => node.target + " " + (node.any[0]?.message ?? "")).join(" | ")}`);
    check(`${name}: accessible${dark ? ", in the dark" : ""}`, serious.length === 0, told.join("; "));
    await close();
  }

  const { page, close } = await open(file, { script: false });
  const visible = await page.locator("#filter").isVisible().catch(() => false);
  check(`${name}: no filter where no script runs`, !visible);
  check(`${name}: prints`, (await page.pdf({ format: "A4" })).length > 10_000);
  await close();
}

// Text that wants to run, with the page's policy and with the policy cut out of the file.
const hostile = join(folder, "hostile", "report.html");
const bare = join(folder, "hostile", "no-policy.html");
const text = readFileSync(hostile, "utf8");
const cut = text.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, "");
check("hostile: the policy was cut out", cut.length < text.length);
writeFileSync(bare, cut);
for (const file of [hostile, bare]) {
  const kind = file === bare ? "without a policy" : "with the policy";
  const { page, noted, close } = await open(file);
  await page.evaluate(() => document.querySelectorAll("details").forEach((one) => (one.open = true)));
  await page.mouse.move(300, 300);
  await page.waitForTimeout(300);
  const ran = await page.evaluate(() => window.ran);
  check(`hostile: nothing runs ${kind}`, ran === undefined && noted.length === 0, [ran, ...noted].join("; "));
  const strange = await page.evaluate(() =>
    // The picture of logons is ours, and holds shapes and text only.
    [...document.querySelectorAll("img, iframe, object, embed, svg:not(#logons svg.graph), svg :not(path, rect, text), link, base, video, audio, math, template, a:not([href^='#'])")].map((one) => one.outerHTML.slice(0, 80)));
  check(`hostile: no element from evidence ${kind}`, strange.length === 0, strange.join("; "));
  const handlers = await page.evaluate(() =>
    [...document.querySelectorAll("*")].filter((one) => [...one.attributes].some((attribute) => attribute.name.startsWith("on"))).length);
  check(`hostile: no handler from evidence ${kind}`, handlers === 0, `${handlers}`);
  const shown = await page.evaluate(() => document.body.textContent);
  for (const mark of ["<script>window.ran=1</script>", "<img/src=x/onerror=window.ran=2>", "</title><svg/onload=window.ran=3>", "\\u{202e}", "\\x1b", "=cmd|"])
    check(`hostile: ${JSON.stringify(mark)} is shown ${kind}`, shown.includes(mark));
  await close();
}

// A joint statement: nothing runs, every link leads somewhere, each voice is as large as the next, print keeps them whole.
for (const name of ["statement", "statement-hostile", "statement-draft"]) {
  const { page, noted, close } = await open(join(folder, name, "report.html"));
  const ran = await page.evaluate(() => window.ran);
  check(`${name}: nothing runs`, ran === undefined && noted.length === 0, [ran, ...noted].join("; "));
  const strange = await page.evaluate(() =>
    [...document.querySelectorAll("script, img, iframe, object, embed, svg, link, base, math, template, form, a:not([href^='#'])")].map((one) => one.outerHTML.slice(0, 80)));
  check(`${name}: no element from data`, strange.length === 0, strange.join("; "));
  const dead = await page.evaluate(() =>
    [...document.querySelectorAll("a")].map((one) => one.getAttribute("href").slice(1)).filter((id) => !document.getElementById(id)));
  check(`${name}: every link leads somewhere`, dead.length === 0, dead.join(" "));
  const policy = await page.locator("meta[http-equiv]").getAttribute("content");
  check(`${name}: its policy lets no script run`, !policy.includes("script-src") && policy.includes("default-src 'none'"), policy);
  const cells = await page.evaluate(() => new Set([...document.querySelectorAll("#glance .side")].map((one) => getComputedStyle(one.querySelector("b")).fontSize + getComputedStyle(one).color)).size);
  check(`${name}: each stance is as large as the next in the table`, cells <= 1, `${cells} kinds`);
  const empty = await page.evaluate(() => [...document.querySelectorAll("#glance td")].filter((one) => !one.textContent.trim()).length);
  check(`${name}: silence is shown as silence`, empty === 0, `${empty} empty cells`);
  const sizes = await page.evaluate(() => new Set([...document.querySelectorAll(".voice")].map((one) =>
    [...one.querySelectorAll("h4, .stance")].map((part) => getComputedStyle(part).fontSize).join(" "))).size);
  check(`${name}: each voice is as large as the next`, sizes <= 1, `${sizes} sizes`);
  await page.emulateMedia({ media: "print" });
  const whole = await page.evaluate(() => [...document.querySelectorAll(".voice")].every((one) => getComputedStyle(one).breakInside === "avoid"));
  check(`${name}: print keeps a voice on one sheet`, whole);
  // On paper nothing scrolls: what is wider than the sheet would be cut.
  await page.setViewportSize({ width: 1047, height: 720 });
  const cut = await page.evaluate(() => [...document.querySelectorAll("table")].filter((one) => one.scrollWidth > document.documentElement.clientWidth + 1).length);
  check(`${name}: no table is cut on paper`, cut === 0, `${cut} tables`);
  const heads = await page.evaluate(() => [...document.querySelectorAll("thead")].every((one) => getComputedStyle(one).display === "table-header-group"));
  check(`${name}: heads of tables are repeated on paper`, heads);
  await close();
}
{
  const { page, close } = await open(join(folder, "statement", "report.html"));
  const state = await page.locator("#clause-X5").innerText();
  check("statement: the state clause is for two parties", state.includes("Stated by each of these in a text of its own: United Kingdom, New Zealand."));
  check("statement: and the EU and NATO are not of them", /Nothing seen of \(not assent\):.*European Union.*NATO/.test(state));
  check("statement: no scale that no party named", !(await page.locator("#clauses").innerText()).includes("(PHIA"));
  check("statement: both readings of “almost certain”", (await page.locator("#conflicts").innerText()).match(/“almost certain”/g).length >= 2);
  const cell = page.locator("#glance tr", { has: page.locator("a[href='#clause-X5']") }).locator("a.side.for").first();
  await cell.click();
  check("statement: a cell leads to what the party says", page.url().includes("#voice-X5-") && (await page.locator(":target.voice").count()) === 1, page.url());
  check("statement: the misprint is told", (await page.locator("#notes").innerText()).includes("APT30"));
  await close();
}

// Without a script: both voices, rows and trees open, the switch works.
{
  const { page, close } = await open(join(folder, "example", "report.html"), { script: false });
  check("example: both voices without a script", (await page.locator("#plain").isVisible()) && (await page.locator("#verdicts table").first().isVisible()));
  await page.locator("label[for=voice-technical]").click();
  check("example: the switch needs no script", !(await page.locator("#plain").isVisible()));
  await page.locator("#findings tbody[data-level] summary").first().click();
  check("example: a row opens without a script", await page.locator("#findings details[open]").first().isVisible());
  await close();
}

// A page beside the report, where there is one.
for (const name of reports.filter((name) => existsSync(join(folder, name, "findings-2.html")))) {
  const { page, noted, close } = await open(join(folder, name, "findings-2.html"));
  check(`${name}: the next page has rows`, (await page.locator("#findings tbody[data-level]").count()) > 0);
  await page.locator("a[href^='report.html#']").first().click();
  check(`${name}: and leads back`, page.url().includes("report.html#") && noted.length === 0, noted.join("; "));
  await close();
}

// What the script is for, by keyboard.
{
  const { page, close } = await open(join(folder, "example", "report.html"));
  const range = () => page.locator("figure.lanes .range").first().textContent();
  const before = await range();
  await page.locator(".picture").first().focus();
  await page.keyboard.press("+");
  const zoomed = await range();
  check("example: the keyboard zooms in", zoomed !== before, zoomed);
  await page.keyboard.press("ArrowRight");
  check("example: the keyboard moves", (await range()) !== zoomed);
  await page.keyboard.press("0");
  check("example: and comes back", (await range()) === before, await range());
  await page.locator(".picture .scale .track").first().click();
  check("example: a click zooms in", (await range()) !== before);

  const rows = page.locator("#findings tbody[data-level]");
  const all = await rows.count();
  await page.selectOption("#filter select[name=level]", "critical");
  const critical = await page.locator("#findings tbody[data-level]:not([hidden])").count();
  check("example: the filter hides rows", critical > 0 && critical < all, `${critical} of ${all}`);
  check("example: and says how many", (await page.locator("#filter output").textContent()).startsWith(`${critical} of ${all}`));
  const hidden = await page.evaluate(() => document.querySelector("#findings tbody[hidden]").id);
  await page.evaluate((id) => (location.hash = id), hidden);
  await page.waitForTimeout(100);
  check("example: a link shows what the filter hides", await page.locator(`#${hidden}`).isVisible());

  const technique = page.locator("#attack a[data-technique]").first();
  const wanted = await technique.getAttribute("data-technique");
  await technique.focus();
  await page.keyboard.press("Enter");
  await page.waitForTimeout(100);
  const left = await page.evaluate(() => [...document.querySelectorAll("#findings tbody[data-level]:not([hidden])")].map((row) => row.dataset.techniques));
  check("example: a technique leads to its findings", left.length > 0 && left.every((one) => one.split(" ").some((id) => id.startsWith(wanted))), left.join("; "));
  await page.locator("#filter button[type=reset]").click();

  const summary = page.locator("#findings tbody[data-level] summary").first();
  await summary.focus();
  await page.keyboard.press("Enter");
  const record = page.locator("#findings tbody[data-level] details[open]").first();
  check("example: a row opens by keyboard", await record.isVisible());
  check("example: with what matched marked", (await record.locator("mark").count()) > 0);
  const rule = await record.locator("a[href^='#rule-']").getAttribute("href");
  await record.locator("a[href^='#rule-']").click();
  await page.waitForTimeout(100);
  check("example: and its rule unfolds", await page.locator(`${rule} pre`).isVisible());

  await page.locator("#next button").focus();
  await page.keyboard.press("Enter");
  const said = await page.locator("#next output").textContent();
  check("example: the steps are copied, or marked", /Copied|Marked/.test(said) && (await page.evaluate(() => String(window.getSelection()).length > 20)), said);

  await page.locator("#voice-plain").check();
  check("example: one voice for management", (await page.locator("#plain").isVisible()) && !(await page.locator("#findings").isVisible()));
  await page.evaluate(() => (location.hash = "coverage"));
  await page.waitForTimeout(100);
  check("example: a link leads out of it", await page.locator("#coverage").isVisible());
  await close();
}

await browser.close();
console.log(`${checks - failures.length} passed, ${failures.length} failed`);
process.exit(failures.length === 0 ? 0 : 1);
