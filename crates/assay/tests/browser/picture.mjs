// Takes a picture of a report's first screen.
//
//   node picture.mjs REPORT.html PICTURE.png
import { chromium } from "playwright-core";
import { statSync } from "node:fs";
import { resolve } from "node:path";

const BYTES_MAX = 250 * 1024;
const [report, picture] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light", reducedMotion: "reduce" });
await page.goto("file://" + resolve(report));
await page.screenshot({ path: picture });
await browser.close();
const bytes = statSync(picture).size;
console.log(`${picture}: ${bytes} bytes`);
if (bytes > BYTES_MAX) {
  console.error(`error: more than ${BYTES_MAX} bytes`);
  process.exit(1);
}
